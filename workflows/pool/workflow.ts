/** One pool of accounts. All decisions are the desk's (policy/pool/transitions.ts); this only moves messages and keeps time. */
import type { SignalDefinition } from '@temporalio/common'
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  patched,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { AccountReading } from '../../policy/account/account.js'
import { clock } from '../../policy/instants.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import type { LeaseAnswer, LeaseRound, PoolSettings, PoolView } from '../../policy/pool/lease.js'
import * as poolDesk from '../../policy/pool/transitions.js'
import type { Announcement, NoticeBoard } from '../../policy/notices/notices.js'
import { type Bar, poolQueries, poolSignals, poolUpdates, sessionSignals } from '../messages.js'
import { Notices } from './notices.js'
import { patches } from '../patches.js'
import { commonSteps, probesOn } from '../proxies.js'
import { hasGrownLong } from '../renewal.js'

/** What a pool carries over when its history is cut. */
export interface PoolState {
  desk: poolDesk.PoolDesk
  notices?: NoticeBoard
  reconciledAt: string
}

/** Signals sent out of one workflow task: more would make the task long, and incoming signals pile up behind it. */
const answersAtOnce = 100

/** Time alone changes nothing faster than this. */
const shortestWait = 1_000

/** What a host asked in one message, and waits for. */
interface OpenRound {
  asks: LeaseRound['asks']
  answers: (LeaseAnswer | null)[] | null
}

type Transition = (desk: poolDesk.PoolDesk, now: string) => poolDesk.PoolDesk

const now = (): string => new Date().toISOString()
const instantOr = (at: string | null, otherwise: number): number => (at === null ? otherwise : Date.parse(at))

export async function pool(input: PoolSettings | PoolState): Promise<never> {
  // What an older run hands over may lack settings that are known by now.
  let desk = 'desk' in input ? poolDesk.configure(input.desk, input.desk.settings) : firstDesk(input)
  let reconciledAt = 'desk' in input ? input.reconciledAt : now()
  let inbox: Transition[] = []
  let migrate = false
  let probing = 0
  let announced: Announcement[] = []
  let rounds: OpenRound[] = []
  // Asked once for the whole run, since a run must not change its mind half-way.
  const isSparing = patched(patches.sparingReconcile)

  const take = (transition: Transition): void => void inbox.push(transition)
  setHandler(poolSignals.configure, (settings) => take((desk) => poolDesk.configure(desk, settings)))
  setHandler(poolSignals.requestLease, (request) => take((desk, now) => poolDesk.request(desk, request, now)))
  setHandler(poolUpdates.requestLeases, async ({ asks, readings }) => {
    take((desk, now) => poolDesk.requestRound(desk, { asks, readings }, now))
    const round: OpenRound = { asks, answers: null }
    rounds.push(round)
    await condition(() => round.answers !== null)
    return round.answers ?? []
  })
  setHandler(poolSignals.releaseLease, (release) =>
    take((desk, now) =>
      release.fault === null
        ? poolDesk.withdraw(desk, release.session)
        : poolDesk.release(desk, release, now),
    ),
  )
  const notices = new Notices('desk' in input ? input.notices : undefined, () => take((desk) => desk))
  setHandler(poolSignals.announce, (one) => void announced.push(one))
  setHandler(poolSignals.declare, (declaration) =>
    take((desk, now) => poolDesk.declare(desk, declaration, now)),
  )
  setHandler(poolSignals.lift, (session) => take((desk) => poolDesk.lift(desk, session)))
  setHandler(poolSignals.migrate, () => {
    migrate = true
  })
  setHandler(poolQueries.describe, () => poolDesk.viewOfPool(desk))

  const probe = async (account: string): Promise<void> => {
    desk = poolDesk.probeStarted(desk, account, now())
    probing += 1
    const reading = await probeOn(desk.settings.host, account)
    probing -= 1
    take((desk, now) => poolDesk.probeEnded(desk, account, reading, now))
  }

  setHandler(poolUpdates.bars, async ({ session, model, account }): Promise<Bar[]> => {
    const names = account === null ? null : [account]
    await Promise.all(poolDesk.toAskFirst(desk, names, now()).map(probe))
    await condition(() => inbox.length === 0)
    const ofPool = desk.accounts.filter(({ role, removed }) => role === 'pool' && !removed)
    return (names ?? ofPool.map(({ name }) => name)).map((name) => {
      const bar = poolDesk.barTo(desk, name, session, model, now())
      return { account: name, cause: bar?.cause ?? null, why: bar?.why() ?? null }
    })
  })

  /** A run must not end before what it asked of a host has come back. */
  const isAbroad = (): boolean => probing > 0 || notices.isSending
  /** Handlers only take note, so what came in is in the inbox, and nothing is lost where that is empty. */
  const mayEnd = (): boolean =>
    !isAbroad() && inbox.length === 0 && announced.length === 0 && allHandlersFinished()
  const renew = (): Promise<never> =>
    continueAsNew<typeof pool>({ desk, reconciledAt, notices: notices.board })
  let isWokenByTime = false

  for (;;) {
    for (const transition of inbox) desk = transition(desk, now())
    inbox = []
    const decision = poolDesk.decide(desk, now())
    desk = decision.desk
    const answered = new Set(rounds.flatMap(({ asks }) => asks.map(({ requestId }) => requestId)))
    for (const round of rounds) round.answers = round.asks.map((ask) => poolDesk.answerTo(ask, decision))
    rounds = []
    setCurrentDetails(page(poolDesk.viewOfPool(desk)))
    for (const account of decision.probes) void probe(account)
    for (const one of announced) notices.announce(desk, one, now())
    announced = []
    notices.look(desk, now())
    const answers = [
      ...decision.grants
        .filter(({ grant }) => !answered.has(grant.requestId))
        .map(
          ({ session, grant }) =>
            () =>
              tell(session, sessionSignals.leaseGranted, grant),
        ),
      ...decision.refusals
        .filter(({ refusal }) => !answered.has(refusal.requestId))
        .map(
          ({ session, refusal }) =>
            () =>
              tell(session, sessionSignals.leaseRefused, refusal),
        ),
      ...decision.calls.map(
        ({ session }) =>
          () =>
            tell(session, sessionSignals.callHome),
      ),
    ]
    for (let from = 0; from < answers.length; from += answersAtOnce) {
      const told = await Promise.all(answers.slice(from, from + answersAtOnce).map((answer) => answer()))
      for (const gone of told) if (gone !== null) desk = poolDesk.withdraw(desk, gone)
    }
    // Not in the middle of a herd, where the next message would be there before the run has ended.
    if (isWokenByTime && answers.length === 0 && hasGrownLong() && mayEnd()) await renew()

    const mustRenew = (): boolean => migrate || workflowInfo().continueAsNewSuggested
    const lookAgainAt = Math.min(
      instantOr(decision.lookAgainAt, Infinity),
      instantOr(notices.nextLook(desk), Infinity),
      poolDesk.reconcileAt(desk, reconciledAt, isSparing),
    )
    const wait = Math.max(lookAgainAt - Date.parse(now()), shortestWait)
    const hasNews = (): boolean => inbox.length > 0 || announced.length > 0 || (mustRenew() && mayEnd())
    isWokenByTime = false
    if (wait === Infinity) await condition(hasNews)
    else isWokenByTime = !(await condition(hasNews, wait))
    if (Date.now() >= poolDesk.reconcileAt(desk, reconciledAt, isSparing)) {
      const live = await commonSteps.listLiveSessions({ pool: desk.settings.name })
      take((desk, now) => poolDesk.reconcile(desk, live, now))
      reconciledAt = now()
    }
    if (mustRenew() && mayEnd()) await renew()
  }
}

/**
 * The fence starts from the clock: a host remembers the newest fence it launched, and a pool whose database was lost
 * must not hand out older ones.
 */
function firstDesk(settings: PoolSettings): poolDesk.PoolDesk {
  return { ...poolDesk.newDesk(settings), fence: Math.floor(Date.now() / 1000) }
}

/** Null where the probe failed altogether: that too is an answer, namely that it cannot be said. */
async function probeOn(host: string, account: string): Promise<AccountReading | null> {
  const summary = `ask ${account} for its usage`
  try {
    return await probesOn(host).probeAccount.executeWithOptions({ summary }, [{ account }])
  } catch (error) {
    if (error instanceof ActivityFailure) return null
    throw error
  }
}

/** The session's name where it is gone: what it holds is free again. */
async function tell<Args extends unknown[]>(
  session: string,
  signal: SignalDefinition<Args>,
  ...message: Args
): Promise<string | null> {
  try {
    await getExternalWorkflowHandle(sessionWorkflowId(session)).signal(signal, ...message)
    return null
  } catch {
    return session
  }
}

function page({ accounts, waiting }: PoolView): string {
  const now = Date.now()
  const rows = accounts.map(({ name, windows, leases, login }) => {
    const used = windows.map((window) => `${window.name} ${Math.round(window.used * 100)} %`).join(', ')
    return `| ${name} | ${used || 'not read yet'} | ${login} | ${leases.length} |`
  })
  const queue = waiting.map(({ session, why, retryAt }) => {
    const until = retryAt === null ? '' : ` (again at ${clock(Date.parse(retryAt), now)})`
    return `- **${session}**: ${why}${until}`
  })
  return [
    '| account | used | login | sessions |',
    '|---|---|---|---|',
    ...rows,
    queue.length === 0 ? '\nNobody waits.' : `\n${queue.slice(0, 20).join('\n')}`,
  ].join('\n')
}
