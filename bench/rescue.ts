/** From the wall's report to the running replacement, against a bare respawn of the same program. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { openHome } from '../config/state/home.js'
import { readEngine } from '../config/state/liveFile.js'
import { poolWorkflowId, sessionWorkflowId } from '../policy/ids.js'
import type { SessionDetails } from '../policy/session/session.js'
import { type Fleet, startFleet } from '../lab/fleet.js'
import { BareRespawn } from './bareRespawn.js'
import { runAlternating, type Measure, median, type Result } from './harness.js'
import { span } from './report.js'
import { type Hop, measureHop, type AttributedEvent, attributeEvents } from './rescueParts.js'
import { firstFile, firstEntry, firstRunning, within } from './running.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

/**
 * By then the text that meets the wall is recorded as delivered, so that its events do not count as the
 * rescue's.
 */
const wallAfterMs = 1_500
/** How long a quiet session is observed for each pair, up to a minute. */
const quietMsPerRun = 8_000

export const rescue: Measure = {
  name: 'rescue',
  description: 'one session walled, the real program',
  runs: 8,
  run: async ({ runs }) => {
    // Each rescue leaves one account walled.
    const accounts = Array.from({ length: runs + 1 }, (_, index) => `max-${index + 1}`)
    // Each routine probe starts a program, and would fall into one measurement but not into the next.
    const fleet = await startFleet({ accounts, config: { timing: { probeEvery: '1h', keysQuiet: '1s' } } })
    try {
      for (const name of accounts)
        fleet.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
      await fleet.up()
      return await measure(fleet, accounts, runs)
    } finally {
      await fleet.close()
    }
  },
}

async function measure(fleet: Fleet, accounts: string[], runs: number): Promise<Result> {
  const { code, stderr } = await fleet.run('start', 'bench', '--cwd', fleet.world.cwd, '--', 'Hello.')
  if (code !== 0) throw new Error(`outpool start failed: ${stderr}`)
  await untilAllProven(fleet, accounts.length)
  const endpoint = readEngine(openHome(fleet.env))
  const connection = await Connection.connect({ address: endpoint?.address ?? '' })
  const client = new Client({ connection, namespace: endpoint?.namespace ?? 'default' })
  const bare = new BareRespawn(fleet)
  const hops: Hop[] = []
  const poolEvents: number[] = []
  try {
    const times = await runAlternating(
      runs,
      async () => {
        const { sessionId, transcript } = await atRest(fleet)
        if (transcript === null) throw new Error('the session has no transcript')
        const [duration = Number.NaN] = await bare.respawn([{ sessionId, transcript }], 1)
        return duration
      },
      async () => {
        const poolBefore = (await historyOf(client, poolWorkflowId('main'))).length
        const { at, moved } = await wallToRunning(fleet, accounts)
        const steps = moved.rescueLog.at(-1)?.steps ?? []
        const ofPool = await historyOf(client, poolWorkflowId('main'))
        hops.push(measureHop(await historyOf(client, sessionWorkflowId('bench')), ofPool, steps, at))
        poolEvents.push(ofPool.length - poolBefore)
        return at.running - at.reported
      },
    )
    const events = median(hops.map((hop) => hop.events)) + median(poolEvents)
    return {
      rows: [
        {
          description:
            'wall reported by hook → replacement process running, one session; floor: a bare `tmux respawn-pane -k` to the same program running',
          ...{ unit: 'ms', ...times, goal: { ratio: 1.5 } },
        },
        {
          description: 'events of an undisturbed rescue, session and pool',
          ...{ unit: 'count', product: [events], floor: [], goal: { atMost: 60 } },
        },
      ],
      facts: { ...factsOf(hops, poolEvents), ...(await quiet(client, fleet, runs)) },
    }
  } finally {
    bare.close()
    await connection.close()
  }
}

const atRest = (fleet: Fleet): Promise<SessionDetails> =>
  fleet.untilSession('bench', ({ phase }) => phase === 'idle')

/** As in a pool that has run for some minutes: routine probes have read every account. */
async function untilAllProven(fleet: Fleet, count: number): Promise<void> {
  for (;;) {
    const all = await fleet.json<{ state: string; windows: unknown[] }[]>('accounts')
    if (all.filter(({ state, windows }) => state === 'ready' && windows.length > 0).length === count) return
    await delay(500)
  }
}

interface Moved {
  /** Milliseconds since the epoch. */
  at: { reported: number; written: number; running: number }
  moved: SessionDetails
}

/** One wall of the account that the session is on. */
async function wallToRunning(fleet: Fleet, accounts: string[]): Promise<Moved> {
  const before = await atRest(fleet)
  const others = accounts.filter((name) => name !== before.account)
  const reported = firstFile([openHome(fleet.env).reports], (name) => /^[^.].*\.StopFailure\./.test(name))
  const running = firstRunning(
    others.map((name) => join(fleet.dir, 'logins', name)),
    before.sessionId,
  )
  const written = firstEntry(before.transcript ?? '', '"isApiErrorMessage":true')
  const wall = { kind: 'five_hour' as const, resetsAt: hours(3) }
  fleet.world.standIn.account(before.account ?? '').answer({ delayMs: wallAfterMs, wall })
  await fleet.run('send', 'bench', `Part ${before.rescues + 1} of the task.`)
  const from = await within('the report of the wall', 60_000, reported)
  const to = await within('the replacement', 60_000, running)
  const row = await within('the entry of the wall', 1_000, written)
  const moved = await fleet.untilSession(
    'bench',
    ({ phase, rescues }) => phase === 'idle' && rescues > before.rescues,
  )
  const { timeOrigin } = performance
  return { at: { reported: timeOrigin + from, written: timeOrigin + row, running: timeOrigin + to }, moved }
}

function factsOf(hops: Hop[], poolEvents: number[]): Record<string, string> {
  const names = Object.keys(hops[0]?.parts ?? {})
  const parts = names.map((name) => [
    `part: ${name}`,
    span(
      hops.map(({ parts }) => parts[name] ?? 0),
      'ms',
    ),
  ])
  const events = hops.map((hop) => hop.events)
  return {
    ...(Object.fromEntries(parts) as Record<string, string>),
    'events of a rescue': `${median(events)} of the session (${Math.min(...events)}–${Math.max(...events)}), ${median(poolEvents)} of the pool`,
  }
}

/** Events that a session adds to the engine while nothing happens to it. */
async function quiet(client: Client, fleet: Fleet, runs: number): Promise<Record<string, string>> {
  await atRest(fleet)
  const ms = Math.min(60_000, quietMsPerRun * runs)
  const count = async (id: string): Promise<number> => (await historyOf(client, id)).length
  const session = await count(sessionWorkflowId('bench'))
  const pool = await count(poolWorkflowId('main'))
  await delay(ms)
  const grown = (await count(sessionWorkflowId('bench'))) - session
  const poolGrown = (await count(poolWorkflowId('main'))) - pool
  return { [`events in ${ms / 1000} s of quiet`]: `${grown} of the session, ${poolGrown} of the pool` }
}

/** Over all runs, oldest first: a session with a long history begins a new run between two rescues. */
async function historyOf(client: Client, workflowId: string): Promise<AttributedEvent[]> {
  const all: AttributedEvent[] = []
  let runId: string | undefined
  do {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory()
    all.unshift(...attributeEvents(events ?? []))
    runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? undefined
  } while (runId)
  return all
}
