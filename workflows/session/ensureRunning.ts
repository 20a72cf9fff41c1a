/** Gets the session up: the first able account, the next one if that fails, else parked until one is able (law 10). */
import { condition } from '@temporalio/workflow'
import { backoff } from '../../policy/backoff.js'
import type { AccountReading } from '../../policy/account/account.js'
import type { LeaseRefusal, LeaseRequest } from '../../policy/pool/lease.js'
import type { RescueEntry } from '../../policy/session/session.js'
import { mayBegin } from './breaker.js'
import { ask, askAgain, askedAhead, isPlanned, newRequest, release } from './lease.js'
import { now, type Run, show } from './context.js'
import { announce, move, type MoveFault, stop } from './move.js'
import { type BringUp, openEntry, type Order } from './state.js'

/** Faults of the account itself. All others are the host's or the session's own, and are never held against an account. */
const theAccounts = ['LaunchFailed', 'SecretMissing', 'UnknownPlace']

/** The conversation did not arrive whole in one place; another may have the room for it. */
const carryFailed = 'CarryFailed'

/** A page that only a person can answer: the account is marked with it, and does not rest for it. */
const pageOpen = 'PageOpen'

/** Faults that another account would meet as well: they are waited out, and a person is told. */
const isWaitedOut = ({ type }: MoveFault): boolean =>
  type !== carryFailed && type !== pageOpen && !theAccounts.includes(type)

/**
 * Returns when the agent runs, when a planned move found no better place (it then still runs where it was), when a
 * person's order of another kind has to be carried out first, or when the history has to be cut meanwhile.
 */
export async function bringUp(run: Run, readings: AccountReading[]): Promise<void> {
  const { state, mail } = run
  const plan = state.bringUp
  if (!plan) return
  const wasUp = state.pid !== null
  let entry = plan.cause === 'start' || plan.parked ? null : openEntry(state, plan.cause, plan.wall, now())
  let fails = 0
  let lastFault: string | null = null
  let isAfterCarry = false
  const { attention } = state
  announce(run, plan)
  if (!(await waitedOut(run, plan, attention))) return
  let request = newRequest(run, plan, readings)
  let answer = await (plan.asked === undefined ? ask(run, request) : askedAhead(run, request))
  delete plan.asked
  for (;;) {
    if (answer.kind === 'order') {
      const order = mail.orders[0]
      if (order?.kind !== 'move' && order?.kind !== 'resume') {
        close(entry, null, 'broken off by a person')
        return
      }
      mail.takeOrder()
      redirect(plan, order)
      request = newRequest(run, plan, [])
      answer = await ask(run, request)
    } else if (answer.kind === 'refused') {
      if (wasUp && state.pid !== null && isPlanned(plan.cause)) {
        stay(run, entry, answer.refusal)
        return
      }
      if (answer.refusal.pages && plan.cause === 'start' && state.place === null && !plan.despitePages) {
        plan.despitePages = true
        request = newRequest(run, plan, [])
        answer = await ask(run, request)
        continue
      }
      if (!plan.parked) await park(run, plan, entry, answer.refusal)
      // The accounts may take it as soon as their host can carry it there, long before one of them has its reset.
      const refusal = isAfterCarry ? retriedBy(answer.refusal, retryAfter(run, fails)) : answer.refusal
      const anew = (): LeaseRequest => {
        plan.exclude = []
        isAfterCarry = false
        return (request = newRequest(run, plan, []))
      }
      show(run, {
        phase: refusal.needsLogin || refusal.pages ? 'waiting' : 'parked',
        parkedUntil: refusal.retryAt,
        attention: loginNeeded(refusal) ?? answerNeeded(refusal) ?? lastFault,
        why: refusal.why,
      })
      const next = await askAgain(run, request, refusal, isAfterCarry ? anew : null)
      if (next.kind === 'renew') return
      answer = next
    } else {
      if (plan.parked || (entry?.endedAt ?? null) !== null) {
        entry = openEntry(state, 'wake', null, now())
        plan.parked = false
      }
      const { grant } = answer
      mail.grant = null
      mail.isHostReady = false
      const { begun } = state
      if (!mayRelaunch(run, plan)) {
        await release(run, grant.fence, null)
        close(entry, null, 'parked by the breaker')
        return
      }
      announce(run, plan)
      const steps = entry?.steps ?? []
      const fault = await move(run, plan, grant, steps)
      if (fault === null) {
        settle(run, entry, grant.why)
        return
      }
      fails += 1
      if (beganNothing(fault)) state.begun = begun
      const { name } = grant.place
      lastFault = `it did not come up on ${name}: ${fault.message}`
      steps.push({ name: `on ${name}`, ms: 0, fault: fault.message })
      await release(run, grant.fence, theAccounts.includes(fault.type) ? fault.message : null)
      if (await waitedForPerson(run, fault, fails)) plan.exclude = []
      else if (fault.type !== pageOpen) plan.exclude = [...plan.exclude, name]
      request = newRequest(run, plan, fault.readings)
      // The accounts are as able as they were: nothing is paid for elsewhere while one of them may be tried again.
      isAfterCarry ||= fault.type === carryFailed && grant.place.kind === 'account'
      if (isAfterCarry) request = { ...request, fallback: [] }
      answer = mail.hasOrders() ? { kind: 'order' } : await ask(run, request)
    }
  }
}

/** Each start but the first costs something, and counts for the breaker; one that a person asked for has its cause. */
const mayRelaunch = (run: Run, { cause, turn }: BringUp): boolean =>
  cause === 'start' || cause === 'move' || mayBegin(run, turn === 'idle' ? 'relaunch' : 'continuation')

/** A start that stood in a page, that the system refused, or that was never made, has cost nothing: it counts for no breaker, however many accounts there are. */
const beganNothing = ({ type }: MoveFault): boolean =>
  type === pageOpen || type === carryFailed || type === 'ProgramFailed'

/** A pause after a crash, which shows what a person should know meanwhile; false when a person's order ended it. */
async function waitedOut(run: Run, plan: BringUp, attention: string | null): Promise<boolean> {
  const left = Date.parse(plan.notBefore ?? now()) - Date.parse(now())
  if (left <= 0) return true
  show(run, { phase: 'parked', parkedUntil: plan.notBefore, attention })
  const interrupted = await condition(() => run.mail.hasOrders(), left)
  plan.notBefore = null
  return !interrupted
}

function settle(run: Run, entry: RescueEntry | null, why: string): void {
  const { state } = run
  close(entry, state.place?.name ?? null, why)
  show(run, { phase: 'working', bringUp: null, parkedUntil: null, walledUntil: null, attention: null })
}

/** The agent still runs where it was, and is left alone until the pool sees a better place. */
function stay(run: Run, entry: RescueEntry | null, refusal: LeaseRefusal): void {
  const { state } = run
  if (entry?.cause === 'near-limit' || entry?.cause === 'home')
    state.rescueLog = state.rescueLog.filter((other) => other !== entry)
  else close(entry, entry?.from ?? null, `stayed: ${refusal.why}`)
  show(run, { phase: 'working', bringUp: null, stayUntil: refusal.retryAt, parkedUntil: null })
}

async function park(
  run: Run,
  plan: BringUp,
  entry: RescueEntry | null,
  refusal: LeaseRefusal,
): Promise<void> {
  // A lost login is no reason to restart anything: the person who logs in may do so in this very pane.
  if (run.state.pid !== null && !refusal.needsLogin) {
    const stopped = await stop(run, `parked: ${refusal.why}`, { rests: true })
    if (stopped.wasWorking) plan.turn = 'cut-off'
    entry?.steps.push(...stopped.steps)
  }
  plan.exclude = []
  plan.parked = true
  close(entry, null, `parked: ${refusal.why}`)
}

function redirect(plan: BringUp, order: Order): void {
  plan.exclude = []
  if (order.kind !== 'move') return
  plan.prefer = order.args.to
  plan.pinned = order.args.to !== null
}

function close(entry: RescueEntry | null, to: string | null, result: string): void {
  if (!entry || entry.endedAt !== null) return
  entry.to = to
  entry.endedAt = now()
  entry.result = result
}

/** Some faults only a person can mend: they are told, and it is tried again with growing pauses. */
async function waitedForPerson(run: Run, fault: MoveFault, fails: number): Promise<boolean> {
  const { mail } = run
  if (!isWaitedOut(fault)) return false
  const pause = retryAfter(run, fails)
  const retryAt = new Date(Date.parse(now()) + pause).toISOString()
  show(run, { phase: 'parked', parkedUntil: retryAt, attention: fault.message })
  await condition(() => mail.hasOrders() || mail.isHostReady, pause)
  return true
}

function retryAfter({ state }: Run, fails: number): number {
  const { retryEvery, retryAtMost } = state.timing
  return backoff(fails, { base: retryEvery, cap: retryAtMost }, state.name)
}

function retriedBy(refusal: LeaseRefusal, pause: number): LeaseRefusal {
  const retryAt = new Date(Math.min(Date.parse(refusal.retryAt), Date.parse(now()) + pause)).toISOString()
  return { ...refusal, retryAt }
}

function loginNeeded({ needsLogin, why }: LeaseRefusal): string | null {
  return needsLogin ? `log in again, no account can take this session: ${why}` : null
}

function answerNeeded({ pages }: LeaseRefusal): string | null {
  return pages ? `no account can take this session unattended: ${pages}` : null
}
