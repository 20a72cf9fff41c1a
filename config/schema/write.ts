/** Writes `config/schema/outpool.schema.json`, which editors check `outpool.yaml` with: `npx tsx config/schema/write.ts` */
import { writeFileSync } from 'node:fs'
import { editorSchema } from './file.js'

writeFileSync(new URL('outpool.schema.json', import.meta.url), `${JSON.stringify(editorSchema(), null, 2)}\n`)
