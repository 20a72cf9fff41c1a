/** Whether the newest drill succeeded, and is not too old. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../config/state/readJson.js'
import type { DrillConfig } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { type Finding, ok, warn } from './finding.js'

const reportSchema = z.object({ endedAt: z.iso.datetime(), ok: z.boolean(), why: z.string().nullable() })

const runIt = 'Run `outpool drill`; its report says which step failed.'

/** No finding if no drill was ever run or scheduled. */
export async function checkDrill(home: Home, { every }: DrillConfig, now: number): Promise<Finding[]> {
  const name = 'drill'
  const newest = await newestReport(join(home.dir, 'drills'))
  if (newest === null) return every === null ? [] : [ok(name, 'none was run yet')]
  const { endedAt, why } = newest
  if (!newest.ok) return [warn(name, `failed at ${endedAt}: ${why ?? 'no reason given'}`, runIt)]
  // One may be missed while the machine sleeps; after two missed ones, apparently nothing runs them.
  if (every !== null && now - Date.parse(endedAt) > 2 * every)
    return [warn(name, `the newest went well at ${endedAt}, and more are overdue`, runIt)]
  return [ok(name, `went well at ${endedAt}`)]
}

/** A report that cannot be read is as good as none. */
async function newestReport(folder: string): Promise<z.output<typeof reportSchema> | null> {
  const names = await readdir(folder).catch(() => [])
  const newest = names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .at(-1)
  if (newest === undefined) return null
  return readJson(join(folder, newest), reportSchema)
}
