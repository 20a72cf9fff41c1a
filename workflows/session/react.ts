/** What follows from what a watch saw: each kind of trouble has its own answer (law 6). */
import { backoff } from '../../policy/backoff.js'
import { afterCrash, isInterruptedFirst, recentCrashes } from '../../policy/session/crashes.js'
import type { Wall } from '../../policy/account/account.js'
import { askedOf } from '../../policy/session/question.js'
import type { Observation } from '../../activities/contracts.js'
import { renamed } from './forks.js'
import { currentRef, now, type Run, show } from './context.js'
import {
  isFailing,
  nextText,
  onlyAccount,
  plan,
  type SessionState,
  tellToGoOn,
  type Text,
  withoutContinuations,
} from './state.js'

/** A session that takes one account only is told that it runs low no more often than this. */
const staysFor = 60 * 60_000

/** After a turn that failed on something transient, which the agent's own program has seen too. */
const goOnText =
  'The last request failed on a temporary error. Continue the task you were working on; do not repeat work that is already complete.'

/** After a request that hung and was broken off. */
const hungText =
  'Your last request got no answer and was broken off. Continue the task you were working on; do not repeat work that is already complete.'

const later = (ms: number): string => new Date(Date.parse(now()) + ms).toISOString()

export async function react(run: Run, seen: Observation): Promise<void> {
  const { state } = run
  state.transcriptFrom = seen.transcriptTo
  state.transcript = seen.transcript ?? state.transcript
  if (seen.kind !== 'transient' && seen.kind !== 'rollover' && seen.kind !== 'released') state.transients = 0
  switch (seen.kind) {
    case 'walled':
      state.bringUp = plan('wall', {
        wall: seen.wall,
        turn: 'cut-off',
        ...(seen.lease ? { asked: run.mail.takeAnswer(seen.lease) } : {}),
      })
      return
    case 'near-limit':
      // It would wait for the very account that it left.
      if (onlyAccount(state) !== null) {
        state.stayUntil = later(staysFor)
        return
      }
      state.bringUp = plan('near-limit', {
        wall: seen.wall,
        why: seen.why,
        turn: seen.wasWorking ? 'wrapped-up' : 'idle',
      })
      return
    case 'login':
      state.bringUp = plan('login', { turn: seen.wasWorking ? 'cut-off' : 'idle', why: seen.text })
      return
    case 'exited':
      if (seen.byPerson) run.mail.orders.push({ kind: 'stop' })
      else crashed(state, `the agent ended: ${seen.how}`, seen.wasWorking)
      return
    case 'gone':
      crashed(state, `its ${seen.what === 'tmux' ? 'tmux server' : 'pane'} vanished`, seen.wasWorking)
      return
    case 'frozen':
      await unfreeze(run, seen.how)
      return
    case 'transient': {
      goOnLater(run, seen.text)
      return
    }
    case 'context': {
      waitForTurn(run, seen.text, 'its context is full: attach to it and /compact or /clear')
      return
    }
    case 'config': {
      waitForTurn(run, seen.text, `the agent refuses its settings: ${seen.text}`)
      return
    }
    case 'waiting':
      show(run, {
        phase: 'waiting',
        waiting: { what: seen.what, endsWith: 'dialog', digest: seen.digest ?? null },
        attention: askedOf(state.name, seen.what, (seen.digest ?? null) !== null),
      })
      return
    case 'not-waiting':
    case 'answered':
      show(run, { phase: 'working', waiting: null, attention: null })
      return
    case 'renamed': {
      const { sessionId, transcript, transcriptFrom } = seen
      renamed(state, sessionId)
      // Whatever the older one waited for, such as room in its context or a word to go on.
      const rest = state.waiting === null ? {} : { phase: 'idle' as const, waiting: null, attention: null }
      const inbox = withoutContinuations(state.inbox)
      show(run, { transcript, transcriptFrom, inbox, parkedUntil: null, ...rest })
      return
    }
    case 'ready-for-home':
      state.bringUp = plan('home', { why: 'an account is able again' })
      return
    case 'spent':
      state.bringUp = plan('wall', { wall: seen.wall })
      return
    case 'unfit':
      unfit(state, seen.text, seen.at)
      return
    case 'turn-ended':
      if (state.inbox.length > 0) return
      state.workDone = true
      run.mail.orders.push({ kind: 'stop', why: 'its work is done' })
      return
    case 'released':
    case 'rollover':
      return
  }
}

/** No wall of the substrate's: others may fit there. This conversation doesn't, now or later. */
function unfit(state: SessionState, text: string, at: string): void {
  if (state.place !== null) state.unfit = [...state.unfit, state.place.name]
  const wall: Wall = { kind: 'context', scope: 'account', resetsAt: null, evidence: text, at }
  state.bringUp = plan('wall', { wall, turn: 'cut-off' })
}

/** Resumed on the same account, with a growing pause; an agent that keeps crashing is left alone for longer. */
function crashed(state: SessionState, why: string, wasWorking: boolean): void {
  state.crashes = recentCrashes([...state.crashes, now()], now(), state.timing)
  const next = afterCrash(state.name, state.crashes, now(), state.timing)
  state.pid = null
  state.attention = next.kind === 'rest' ? `${why}. ${next.attention}` : null
  const notBefore = next.kind === 'rest' ? next.until : later(next.afterMs)
  const prefer = state.place?.kind === 'account' ? state.place.name : null
  state.bringUp = plan('crash', { prefer, turn: wasWorking ? 'cut-off' : 'idle', why, notBefore })
}

/** The mildest first: a key and a text keep what the process holds; only what does not help is killed. */
async function unfreeze(run: Run, how: Extract<Observation, { kind: 'frozen' }>['how']): Promise<void> {
  const { state, steps } = run
  if (!isInterruptedFirst(how, state.interruptedAt, now(), state.timing)) {
    // Its process is still there: it has to be stopped, also where the session is parked next.
    const { pid } = state
    crashed(state, `frozen: ${how}`, true)
    state.pid = pid
    return
  }
  state.interruptedAt = now()
  const summary = how === 'stopped' ? 'it was stopped: let it go on' : 'its request hangs: break it off'
  await steps.interruptAgent.executeWithOptions({ summary }, [{ ...currentRef(state), how }])
  if (how === 'stopped') return
  const id = `hung-${state.fence}-${state.interruptedAt}`
  tellToGoOn(state, { id, text: hungText, cause: 'continuation', mootAfter: state.transcriptFrom })
}

/** The agent gave up retrying; it is told to go on once the trouble has had time to pass. */
function goOnLater(run: Run, text: string): void {
  const { state } = run
  state.transients += 1
  const { retryEvery, retryAtMost } = state.timing
  const pause = backoff(state.transients, { base: retryEvery, cap: retryAtMost }, state.name)
  const at = later(pause)
  const goOn: Text = {
    ...{ id: `go-on-${state.fence}-${now()}`, text: goOnText, notBefore: at },
    ...{ cause: 'retry', mootAfter: state.transcriptFrom },
  }
  tellToGoOn(state, goOn)
  const attention = `look at it with outpool attach ${state.name}: its turns keep failing: ${text}`
  const pausedUntil = nextText(state) === goOn ? at : null
  show(run, { phase: 'idle', parkedUntil: pausedUntil, attention: isFailing(state) ? attention : null })
}

function waitForTurn(run: Run, text: string, attention: string): void {
  show(run, { phase: 'waiting', waiting: { what: text, endsWith: 'turn' }, attention })
}
