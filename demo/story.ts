/** One session's way through the wall, told as it happens. */
import { setMaxListeners } from 'node:events'
import { Connection } from '@temporalio/client'
import { openHome } from '../config/state/home.js'
import { readEngine, readLive } from '../config/state/liveFile.js'
import { sessionWorkflowId } from '../policy/ids.js'
import type { RescueEntry } from '../policy/session/session.js'
import type { RecordedRequest } from '../lab/standin/requests.js'
import { until } from '../lab/until.js'
import { type ConversationComparison, compare, testPassed } from './facts.js'
import { followHistory, type Moment } from './history.js'
import { DemoFailed, type Outpool } from './outpool.js'
import { isCode, Pane } from './pane.js'
import type { Screen } from './screen.js'
import { answersBeforeWall, layOutWork, prompt, scriptFor } from './task.js'

export const session = 'shop'
export const accounts = ['max-1', 'max-2'] as const

/** Half a minute is usual on a busy machine; more means that something is wrong. Milliseconds. */
const stepTimeoutMs = 100_000

const hour = 3_600_000

export interface DemoResult {
  walled: RecordedRequest
  resumed: RecordedRequest
  rescue: RescueEntry
  carried: ConversationComparison
  moments: Moment[]
}

/** Sets the stand-in up: budget for two answers on the first account, plenty on the second. */
export function prepareStandIn({ fleet }: Outpool): string {
  const { standIn, cwd } = fleet.world
  const [first, second] = accounts
  const soon = new Date(Date.now() + 3 * hour)
  const week = new Date(Date.now() + 80 * hour)
  standIn
    .account(first)
    .windows({ seven_day: { used: 0.4, resetsAt: week } })
    .budget(answersBeforeWall, { resets: soon })
  standIn.account(second).windows({
    five_hour: { used: 0.1, resetsAt: soon },
    seven_day: { used: 0.2, resetsAt: week },
  })
  layOutWork(cwd)
  standIn.answer(scriptFor(cwd))
  return cwd
}

/**
 * Starts the session and reports what happens until it has done its work on the other account. Throws
 * DemoFailed or ConditionTimeout.
 */
export async function runDemo(outpool: Outpool, screen: Screen, signal: AbortSignal): Promise<DemoResult> {
  const { fleet } = outpool
  const { standIn } = fleet.world
  const [first, second] = accounts
  const home = openHome(fleet.env)
  const engine = readEngine(home)
  if (!engine) throw new DemoFailed('outpool up is ready, but left no engine.json')

  screen.heading('A session works')
  screen.say(`outpool start ${session} --account ${first} -- "${prompt}"`)
  await outpool.command('start', session, '--cwd', fleet.world.cwd, '--account', first, '--', prompt)

  const stop = new AbortController()
  const all = AbortSignal.any([signal, stop.signal])
  // Each call to the engine follows it for a while.
  setMaxListeners(0, all)
  const pane = new Pane({
    tmux: (...args) => outpool.tmux(...args),
    session,
    onLine: ({ pid, text }) => {
      const who = pid === pane.pids[0] ? first : second
      if (isCode(text)) screen.cut(who, text)
      else screen.quote(who, text)
    },
  })
  const moments: Moment[] = []
  const connection = await Connection.connect({ address: engine.address })
  const execution = { namespace: engine.namespace, workflowId: sessionWorkflowId(session) }
  const heard = (moment: Moment): void => {
    moments.push(moment)
    narrate(moment, screen)
  }
  const following = Promise.all([
    pane.follow(all),
    followHistory(connection, execution, heard, all).catch((error: unknown) => {
      if (!all.aborted) throw error
    }),
  ])
  try {
    const isTurn = (request: RecordedRequest): boolean =>
      request.kind === 'turn' && request.sessionId !== null
    const walled = await standIn.waitForRequest(
      (one) => isTurn(one) && one.outcome === 'walled',
      stepTimeoutMs,
    )
    pane.poll()
    screen.heading('The wall')
    screen.say(`${first}: the API refuses the agent's next request; its five-hour budget is spent.`)
    const resumed = await standIn.waitForRequest(
      (one) => isTurn(one) && one.account === second,
      stepTimeoutMs,
    )
    await until('the work', () => Promise.resolve(readLive(home)?.sessions[session]), isIdle, stepTimeoutMs)
    const last = standIn.requests({ kind: 'turn', account: second }).at(-1) ?? resumed
    pane.poll()
    const rescue = (await fleet.show(session)).rescueLog.find(({ endedAt }) => endedAt !== null)
    if (!rescue) throw new DemoFailed('the session moved, but its rescue log is empty')
    if (!testPassed(last)) throw new DemoFailed("the agent's work was not finished: its test did not pass")
    return { walled, resumed, rescue, carried: compare(walled, resumed), moments }
  } finally {
    stop.abort()
    await following
    await connection.close()
  }
}

const isIdle = (state: { phase: string; fence: number } | undefined): boolean =>
  state?.phase === 'idle' && state.fence > 1

/** The session's own history, as far as it helps a person at the screen. */
function narrate(moment: Moment, screen: Screen): void {
  if (moment.kind === 'failed') screen.say(`${moment.step} failed, and is tried again: ${moment.why}`)
  if (moment.kind !== 'began') return
  if (['stopAgent', 'launchAgent'].includes(moment.step)) screen.say(`Outpool: ${moment.summary}`)
}
