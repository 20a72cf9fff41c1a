/** The host's part in a drill: its ground, its eyes on the session, its report. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { Client } from '@temporalio/client'
import { z } from 'zod'
import { type DrillReport, type DrillSight, isReached } from '../policy/drill.js'
import { sessionWorkflowId } from '../policy/ids.js'
import type { DrillActivities, DrillGround, DrillLook, DrillSeen } from './contracts.js'
import { assertApart } from './failureDomains.js'
import { writeFileAtomic } from './files.js'
import type { Host } from './host.js'

const lookEvery = 1_000

export const drillActivities = (host: Host, client: Client, describe: string): DrillActivities => ({
  openDrill: () => openDrill(host),
  watchDrill: (look) => watchDrill(host, client, describe, look),
  reportDrill: (report) => Promise.resolve(writeReport(host, report)),
})

/** Law 1 comes first: what a shared account would prove is nothing. */
async function openDrill(host: Host): Promise<DrillGround> {
  await assertApart(host.config)
  const cwd = join(host.home.dir, 'drills', 'work')
  mkdirSync(cwd, { recursive: true, mode: 0o700 })
  return { cwd, fallbacks: host.config.substrates.map(({ name }) => name) }
}

const detailsSchema = z.object({
  phase: z.string(),
  account: z.string().nullable(),
  substrate: z.string().nullable(),
  sessionId: z.string(),
  fork: z.string().nullable(),
})

/** Looks until the session has come to where it should, or the time is over. */
async function watchDrill(host: Host, client: Client, describe: string, look: DrillLook): Promise<DrillSeen> {
  const context = Context.current()
  for (;;) {
    const sight = await sightOf(host, client, describe, look)
    const reached = isReached(look.stage, sight)
    if (reached || Date.now() >= Date.parse(look.until)) return { reached, sight }
    context.heartbeat(sight)
    await delay(lookEvery, undefined, { signal: context.cancellationSignal })
  }
}

async function sightOf(
  host: Host,
  client: Client,
  describe: string,
  { session, agent, since }: DrillLook,
): Promise<DrillSight> {
  const answer: unknown = await client.workflow.getHandle(sessionWorkflowId(session)).query(describe)
  const { sessionId, fork, ...seen } = detailsSchema.parse(answer)
  const adapter = host.adapter(agent)
  // Looked for anew: what the session was told at its launch is from before its agent wrote anything.
  const conversation = seen.substrate === null ? sessionId : (fork ?? sessionId)
  const transcript = await host.newestTranscript(adapter, conversation)
  const said = transcript === null ? null : await adapter.lastAnswer(transcript.path, 0).catch(() => null)
  return { ...seen, answered: said !== null && said.at >= since }
}

/** The newest of these stay. */
function writeReport(host: Host, report: DrillReport): string {
  const folder = join(host.home.dir, 'drills')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${report.session}.json`)
  writeFileAtomic(file, `${JSON.stringify(report, null, 2)}\n`)
  const reports = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
  for (const old of reports.slice(0, -host.config.drill.keep)) rmSync(join(folder, old), { force: true })
  return file
}
