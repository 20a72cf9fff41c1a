/** One pool of accounts. All decisions are the desk's (policy/pool/transitions.ts); this only moves messages and keeps time. */
import type { SignalDefinition } from '@temporalio/common'
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { AccountReading } from '../../policy/account/account.js'
import { clock } from '../../policy/instants.js'
import { sessionWorkflowId } from '../../policy/ids.js'
import type { LeaseAnswer, LeaseBatch, PoolSettings, PoolView } from '../../policy/pool/lease.js'
import * as transitions from '../../policy/pool/transitions.js'
import type { Announcement, NoticeBoard } from '../../policy/notices/notice.js'
import {
  type AccountEligibility,
  poolQueries,
  poolSignals,
  poolUpdates,
  sessionSignals,
} from '../messages.js'
import { NoticeSender } from './notices.js'
import { commonActivities, probesOn } from '../proxies.js'
import { hasGrownLong } from '../renewal.js'

/** What a pool carries over when its history is cut. */
interface PoolWorkflowState {
  state: transitions.PoolState
  notices?: NoticeBoard
  reconciledAt: string
}

/** Signals sent out of one workflow task: more would make the task long, and incoming signals pile up behind it. */
const signalsPerBatch = 100

/** Time alone changes nothing faster than this. */
const minWait = 1_000

/** What a host asked in one message, and waits for. */
interface PendingBatch {
  requests: LeaseBatch['requests']
  answers: (LeaseAnswer | null)[] | null
}

type Transition = (state: transitions.PoolState, now: string) => transitions.PoolState

const now = (): string => new Date().toISOString()
const millisOr = (at: string | null, otherwise: number): number => (at === null ? otherwise : Date.parse(at))

export async function pool(input: PoolSettings | PoolWorkflowState): Promise<never> {
  // What an older run hands over may lack settings that are known by now.
  let state =
    'state' in input ? transitions.configure(input.state, input.state.settings) : initialState(input)
  let reconciledAt = 'state' in input ? input.reconciledAt : now()
  let inbox: Transition[] = []
  let migrate = false
  let probing = 0
  let announced: Announcement[] = []
  let pendingBatches: PendingBatch[] = []

  const enqueue = (transition: Transition): void => void inbox.push(transition)
  setHandler(poolSignals.configure, (settings) => enqueue((state) => transitions.configure(state, settings)))
  setHandler(poolSignals.requestLease, (request) =>
    enqueue((state, now) => transitions.requestLease(state, request, now)),
  )
  setHandler(poolUpdates.requestLeases, async ({ requests, readings }) => {
    enqueue((state, now) => transitions.requestBatch(state, { requests, readings }, now))
    const batch: PendingBatch = { requests, answers: null }
    pendingBatches.push(batch)
    await condition(() => batch.answers !== null)
    return batch.answers ?? []
  })
  setHandler(poolSignals.releaseLease, (release) =>
    enqueue((state, now) =>
      release.failure === null
        ? transitions.withdraw(state, release.session)
        : transitions.releaseLease(state, release, now),
    ),
  )
  const notices = new NoticeSender('state' in input ? input.notices : undefined, () =>
    enqueue((state) => state),
  )
  setHandler(poolSignals.announce, (one) => void announced.push(one))
  setHandler(poolSignals.simulateWall, (declaration) =>
    enqueue((state, now) => transitions.simulateWall(state, declaration, now)),
  )
  setHandler(poolSignals.liftWall, (session) => enqueue((state) => transitions.liftWall(state, session)))
  setHandler(poolSignals.migrate, () => {
    migrate = true
  })
  setHandler(poolQueries.describe, () => transitions.poolView(state))

  const probe = async (account: string): Promise<void> => {
    state = transitions.probeStarted(state, account, now())
    probing += 1
    const reading = await probeOn(state.settings.host, account)
    probing -= 1
    enqueue((state, now) => transitions.probeEnded(state, account, reading, now))
  }

  setHandler(
    poolUpdates.checkEligibility,
    async ({ session, model, account }): Promise<AccountEligibility[]> => {
      const names = account === null ? null : [account]
      await Promise.all(transitions.accountsToProbeFirst(state, names, now()).map(probe))
      await condition(() => inbox.length === 0)
      const ofPool = state.accounts.filter(({ role, removed }) => role === 'pool' && !removed)
      return (names ?? ofPool.map(({ name }) => name)).map((name) => {
        const bar = transitions.ineligibilityFor(state, name, session, model, now())
        return { account: name, cause: bar?.cause ?? null, why: bar?.why() ?? null }
      })
    },
  )

  /** A run must not end before what it asked of a host has come back. */
  const hasWorkInFlight = (): boolean => probing > 0 || notices.isSending
  /** Handlers only take note, so what came in is in the inbox, and nothing is lost where that is empty. */
  const canRenew = (): boolean =>
    !hasWorkInFlight() && inbox.length === 0 && announced.length === 0 && allHandlersFinished()
  const renew = (): Promise<never> =>
    continueAsNew<typeof pool>({ state, reconciledAt, notices: notices.board })
  let isTimerDue = false

  for (;;) {
    for (const transition of inbox) state = transition(state, now())
    inbox = []
    const decision = transitions.decide(state, now())
    state = decision.state
    const answered = new Set(
      pendingBatches.flatMap(({ requests }) => requests.map(({ requestId }) => requestId)),
    )
    for (const round of pendingBatches)
      round.answers = round.requests.map((ask) => transitions.answerFor(ask, decision))
    pendingBatches = []
    setCurrentDetails(detailsPage(transitions.poolView(state)))
    for (const account of decision.probes) void probe(account)
    for (const one of announced) notices.announce(state, one, now())
    announced = []
    notices.review(state, now())
    const answers = [
      ...decision.grants
        .filter(({ grant }) => !answered.has(grant.requestId))
        .map(
          ({ session, grant }) =>
            () =>
              signalSession(session, sessionSignals.leaseGranted, grant),
        ),
      ...decision.denials
        .filter(({ denial }) => !answered.has(denial.requestId))
        .map(
          ({ session, denial }) =>
            () =>
              signalSession(session, sessionSignals.leaseDenied, denial),
        ),
      ...decision.failbacks.map(
        ({ session }) =>
          () =>
            signalSession(session, sessionSignals.failback),
      ),
    ]
    for (let from = 0; from < answers.length; from += signalsPerBatch) {
      const told = await Promise.all(answers.slice(from, from + signalsPerBatch).map((answer) => answer()))
      for (const gone of told) if (gone !== null) state = transitions.withdraw(state, gone)
    }
    // Not in the middle of a herd, where the next message would be there before the run has ended.
    if (isTimerDue && answers.length === 0 && hasGrownLong() && canRenew()) await renew()

    const mustRenew = (): boolean => migrate || workflowInfo().continueAsNewSuggested
    const lookAgainAt = Math.min(
      millisOr(decision.nextDecisionAt, Infinity),
      millisOr(notices.nextReviewAt(state), Infinity),
      transitions.reconcileAt(state, reconciledAt),
    )
    const wait = Math.max(lookAgainAt - Date.parse(now()), minWait)
    const shouldWake = (): boolean => inbox.length > 0 || announced.length > 0 || (mustRenew() && canRenew())
    isTimerDue = false
    if (wait === Infinity) await condition(shouldWake)
    else isTimerDue = !(await condition(shouldWake, wait))
    if (Date.now() >= transitions.reconcileAt(state, reconciledAt)) {
      const live = await commonActivities.listRunningSessions({ pool: state.settings.name })
      enqueue((state, now) => transitions.reconcile(state, live, now))
      reconciledAt = now()
    }
    if (mustRenew() && canRenew()) await renew()
  }
}

/**
 * The fence starts from the clock: a host remembers the newest fence it launched, and a pool whose database was lost
 * must not hand out older ones.
 */
function initialState(settings: PoolSettings): transitions.PoolState {
  return { ...transitions.newPoolState(settings), fence: Math.floor(Date.now() / 1000) }
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
async function signalSession<Args extends unknown[]>(
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

function detailsPage({ accounts, waitlist }: PoolView): string {
  const now = Date.now()
  const rows = accounts.map(({ name, windows, leases, login }) => {
    const used = windows.map((window) => `${window.name} ${Math.round(window.used * 100)} %`).join(', ')
    return `| ${name} | ${used || 'not read yet'} | ${login} | ${leases.length} |`
  })
  const queue = waitlist.map(({ session, why, retryAt }) => {
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
