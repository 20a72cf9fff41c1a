/** The host's part in a drill: preparing its folder, observing its session, writing its report. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { QueryDefinition } from '@temporalio/common'
import type { Client } from '@temporalio/client'
import { z } from 'zod'
import type { AgentAdapter } from '../agents/adapter/adapter.js'
import type { EventDraft } from '../config/events/schema.js'
import { type DrillReport, type DrillObservation, isReached } from '../policy/independence/drill.js'
import { log } from '../host/log.js'
import { sessionWorkflowId } from '../policy/ids.js'
import type { SessionDetails } from '../policy/session/session.js'
import type { DrillActivities, DrillSetup, DrillWatchRequest, DrillWatchResult } from './contracts.js'
import { assertIndependent } from '../host/identity/failureDomains.js'
import { withHeartbeat } from './withHeartbeat.js'
import { writeFileAtomic } from '../host/state/atomicFile.js'
import type { Host } from '../host/host.js'

const pollEvery = 1_000

export const drillActivities = (
  host: Host,
  client: Client,
  describe: QueryDefinition<SessionDetails>,
): DrillActivities => ({
  prepareDrill: () => withHeartbeat(() => prepareDrill(host)),
  watchDrill: (request) => watchDrill(host, client, describe, request),
  writeDrillReport: (report) => Promise.resolve(writeReport(host, report)),
})

/** Checks law 1 first: a drill on shared accounts would prove nothing. */
async function prepareDrill(host: Host): Promise<DrillSetup> {
  await assertIndependent(host.config)
  const cwd = join(host.home.dir, 'drills', 'work')
  mkdirSync(cwd, { recursive: true, mode: 0o700 })
  return { cwd, fallbacks: host.config.substrates.map(({ name }) => name) }
}

const detailsSchema = z.object({
  phase: z.string(),
  account: z.string().nullable(),
  substrate: z.string().nullable(),
})

/** Polls the session until it has reached the stage, or the time is over. */
async function watchDrill(
  host: Host,
  client: Client,
  describe: QueryDefinition<SessionDetails>,
  request: DrillWatchRequest,
): Promise<DrillWatchResult> {
  const context = Context.current()
  let observation: DrillObservation = { phase: 'unknown', account: null, substrate: null, answered: false }
  for (;;) {
    const isOver = host.clock.now() >= Date.parse(request.until)
    observation = await observeSession(host, client, describe, request).catch((error: unknown) => {
      // A worker of the workflows that restarts answers a moment later.
      log.warn({ err: error }, `the session of the drill, ${request.session}, gave no answer`)
      return observation
    })
    const reached = isReached(request.stage, observation)
    if (reached || isOver) return { reached, observation }
    context.heartbeat(observation)
    await delay(pollEvery, undefined, { signal: context.cancellationSignal })
  }
}

async function observeSession(
  host: Host,
  client: Client,
  describe: QueryDefinition<SessionDetails>,
  { session, agent, since }: DrillWatchRequest,
): Promise<DrillObservation> {
  const answer: unknown = await client.workflow.getHandle(sessionWorkflowId(session)).query(describe)
  const answeredAt = await lastAnswerAt(host, session, host.adapter(agent))
  return {
    ...detailsSchema.parse(answer),
    answered: answeredAt !== null && host.clock.toEngine(answeredAt) >= since,
  }
}

/** Searches for the transcript of the newest launch: the path that the session knows dates from before anything was written. */
async function lastAnswerAt(host: Host, session: string, adapter: AgentAdapter): Promise<string | null> {
  const launch = host.records.newest(session)
  if (launch === null) return null
  const transcript = await adapter.findTranscript(host.readablePlace(launch.place), launch.sessionId)
  if (transcript === null) return null
  const answer = await adapter.readLastAnswer(transcript, 0).catch(() => null)
  return answer?.at ?? null
}

/** Writes the report and removes the oldest ones, as `drill.keep` says. */
function writeReport(host: Host, report: DrillReport): string {
  const folder = join(host.home.dir, 'drills')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${report.session}.json`)
  writeFileAtomic(file, `${JSON.stringify(report, null, 2)}\n`)
  host.events.record(drillEnded(host, report))
  const reports = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
  for (const old of reports.slice(0, -host.config.drill.keep)) rmSync(join(folder, old), { force: true })
  return file
}

function drillEnded({ clock }: Host, { id, ok, why, startedAt, endedAt, steps }: DrillReport): EventDraft {
  const ms = Math.max(0, Date.parse(endedAt) - Date.parse(startedAt))
  return {
    ...{ id: `${id}/ended`, at: clock.toHost(endedAt), kind: 'drill-ended', drill: id, ok, why, ms },
    steps: steps.map(({ name, ms, ok }) => ({ name, ms, failed: !ok })),
  }
}
