/** Writes `docs/events.md`: `npx tsx config/events/writePage.ts` */
import { writeFileSync } from 'node:fs'
import { eventsPage } from './page.js'

writeFileSync(new URL('../../docs/events.md', import.meta.url), eventsPage())
