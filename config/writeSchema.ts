/** Writes `config/outpool.schema.json`, which editors check `outpool.yaml` with: `npx tsx config/writeSchema.ts` */
import { writeFileSync } from 'node:fs'
import { editorSchema } from './configSchema.js'

writeFileSync(new URL('outpool.schema.json', import.meta.url), `${JSON.stringify(editorSchema(), null, 2)}\n`)
