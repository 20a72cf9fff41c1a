/** Writes the tables into `docs/metrics.md`: `npx tsx worker/metrics/writePage.ts` */
import { readFileSync, writeFileSync } from 'node:fs'
import { withTables } from './page.js'

const page = new URL('../../docs/metrics.md', import.meta.url)
writeFileSync(page, withTables(readFileSync(page, 'utf8')))
