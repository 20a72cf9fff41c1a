/** The life of a session: bring it up, watch it, act on what was seen, until a person stops it. */
import {
  ActivityFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
} from '@temporalio/workflow'
import { type AccountReading, withDefaults } from '../../policy/account/account.js'
import type { SessionResult, SessionStart } from '../messages.js'
import { movesOn, stepsOn, watchesOn } from '../proxies.js'
import type { Observation } from '../../activities/contracts.js'
import { takeAnswers } from './answers.js'
import { bringUp } from './ensureRunning.js'
import { deliverTexts } from './deliveries.js'
import { Display } from './display.js'
import { isAway } from './forks.js'
import { askAhead, release } from './lease.js'
import { Mailbox } from './handlers.js'
import { react } from './react.js'
import { currentRef, mayRenew, mustRenew, now, type Run, show } from './context.js'
import { faultOf, stop } from './move.js'
import {
  clearRefusals,
  type BringUp,
  isFailing,
  isState,
  lastWord,
  newState,
  onlyAccount,
  plan,
  type SessionState,
} from './state.js'
import { sayWakeUps } from './wakeUps.js'
import { pauseUnwatched, untilWatchStands } from './unwatched.js'

export async function session(input: SessionStart | SessionState): Promise<SessionResult> {
  const state = isState(input) ? input : newState(input, now())
  state.timing = withDefaults(state.timing)
  // What the pool had answered ended with the run before: it is asked anew.
  delete state.bringUp?.asked
  const mail = new Mailbox(state)
  const run: Run = {
    state,
    mail,
    display: new Display(),
    steps: stepsOn(state.host),
    moves: movesOn(state.host),
    watches: watchesOn(state.host),
  }
  takeAnswers(run)
  // Whoever cancels the workflow means to stop the session: its process must not be left behind unwatched.
  CancellationScope.current().cancelRequested.catch(() => mail.orders.push({ kind: 'stop' }))
  return CancellationScope.nonCancellable(() => live(run))
}

async function live(run: Run): Promise<SessionResult> {
  const { state } = run
  const deliveries = new CancellationScope()
  const delivering = deliveries
    .run(() => Promise.all([deliverTexts(run), sayWakeUps(run)]))
    .catch((error: unknown) => {
      if (!isCancellation(error)) throw error
    })
  let readings: AccountReading[] = []
  let watching: Watching | null = null
  show(run)
  while (!isOver(state)) {
    if (run.mail.hasOrders()) {
      watching = await obey(run, watching)
    } else if (state.paused || state.breaker !== null) {
      await condition(() => run.mail.hasOrders() || mustRenew(run))
    } else if (state.bringUp) {
      if (state.bringUp.cause === 'start') readings = await readAccounts(run)
      await bringUp(run, readings)
    } else {
      watching ??= startWatch(run)
      const { seen } = watching
      const isCalled = (): boolean => state.isCalledHome && isAway(state)
      const hasNews = (): boolean => seen.isOver || isCalled() || run.mail.hasOrders() || mustRenew(run)
      await untilWatchStands(run, hasNews)
      await condition(hasNews)
      if (!seen.isOver && isCalled()) {
        await callHome(run)
      } else if (seen.isOver && !seen.observation) {
        watching = null
        await pauseUnwatched(run, seen.fault)
      } else if (seen.observation) {
        watching = null
        readings = seen.observation.readings
        await react(run, seen.observation)
      }
    }
    const isToRenew = mustRenew(run) || (watching === null && mayRenew(run))
    if (isToRenew && !run.mail.hasOrders() && !isOver(state)) {
      // A watch that ran on would stand beside the one of the next run: it has to end first. What it saw is seen again then.
      await watching?.end()
      deliveries.cancel()
      await delivering
      await condition(allHandlersFinished)
      await continueAsNew<typeof session>(state)
    }
  }
  await watching?.end()
  deliveries.cancel()
  await delivering
  await condition(allHandlersFinished)
  return lastWord(state)
}

const readAccounts = ({ steps }: Run): Promise<AccountReading[]> =>
  steps.readAccounts.executeWithOptions({ summary: 'read what this host knows of its accounts' }, [])

/** The watch that stands looks from now on for the moment at which the session can go. */
async function callHome({ state, steps }: Run): Promise<void> {
  state.isCalledHome = false
  const summary = 'an account is able again: home at the end of the turn'
  await steps.callHome.executeWithOptions({ summary }, [currentRef(state)])
}

const isOver = (state: SessionState): boolean => state.phase === 'stopped'

interface Watching {
  /** `fault`: in the host's own words, where it is over without an observation. */
  seen: { isOver: boolean; observation: Observation | null; fault: string }
  /** Cancels the watch and waits until the host has let go of it. */
  end(): Promise<void>
}

function startWatch(run: Run): Watching {
  const { state, watches } = run
  const seen: Watching['seen'] = { isOver: false, observation: null, fault: '' }
  const scope = new CancellationScope()
  const { runsModel, transcriptFrom, stayUntil, waiting, once } = state
  const request = {
    ...currentRef(state),
    model: runsModel,
    transcriptFrom,
    stayUntil,
    waiting,
    untilTurnEnd: once ?? false,
    ...(isFailing(state) ? { failing: true } : {}),
    ask: { pool: state.pool, request: askAhead(run) },
    status: statusLine(state),
  }
  const summary = `watch the agent on ${state.place?.name ?? '?'} until something happens`
  const watch = scope
    .run(() => watches.watchAgent.executeWithOptions({ summary }, [request]))
    .then((observation) => (seen.observation = observation))
    .catch((error: unknown) => {
      if (isCancellation(error)) return
      if (!(error instanceof ActivityFailure)) throw error
      seen.fault = faultOf(error).message
    })
    .finally(() => (seen.isOver = true))
  return {
    seen,
    end: async () => {
      scope.cancel()
      await watch
    },
  }
}

function statusLine({ place, waiting, stayUntil }: SessionState): string {
  if (waiting) return `outpool: waiting: ${waiting.what}`
  if (place?.kind === 'substrate') return `outpool: on ${place.name}, a fallback, until an account is able`
  if (stayUntil) return `outpool: on ${place?.name ?? '?'}, near its limit; no better account now`
  return `outpool: on ${place?.name ?? '?'}`
}

/** Carries out the oldest order. Answers the watch that still stands. */
async function obey(run: Run, watching: Watching | null): Promise<Watching | null> {
  const { state } = run
  const order = run.mail.takeOrder()
  switch (order?.kind) {
    case undefined:
      return watching
    case 'stop':
      await stop(run, order.why ?? 'stopped by a person', { closePane: true, rests: true })
      await watching?.end()
      await release(run, state.fence, null)
      show(run, {
        phase: 'stopped',
        bringUp: null,
        parkedUntil: null,
        walledUntil: null,
        attention: null,
        pane: null,
      })
      return null
    case 'pause':
      await putToRest(run, watching, 'paused by a person')
      show(run, { phase: 'paused', paused: true, breaker: null, attention: null })
      return null
    case 'trip':
      if (state.breaker === null) return watching
      await putToRest(run, watching, 'parked by the breaker')
      show(run, { phase: 'parked', attention: state.breaker.attention })
      return null
    case 'resume':
      typeAgain(state)
      if (state.paused || state.breaker !== null)
        show(run, { paused: false, phase: 'parked', breaker: null, begun: [], attention: null })
      return watching
    case 'move': {
      const { to, cause, mayReturn = false } = order.args
      if (to !== null && to === state.place?.name && !state.bringUp && !state.paused) return watching
      const from = state.place?.name
      const mayStay = mayReturn || onlyAccount(state) !== null
      const exclude = cause === 'wall' && from !== undefined && !mayStay ? [from] : []
      state.paused = false
      if (state.breaker !== null) Object.assign(state, { breaker: null, begun: [] })
      const turn = state.bringUp?.turn ?? 'idle'
      state.bringUp = plan(cause, { prefer: to, pinned: to !== null, exclude, turn })
      return watching
    }
  }
}

/** Ends the process, for now. What comes after is a waking up, whatever was under way before it. */
async function putToRest(run: Run, watching: Watching | null, why: string): Promise<void> {
  const { state } = run
  const { wasWorking } = await stop(run, why, { rests: true })
  await watching?.end()
  await release(run, state.fence, null)
  const next: BringUp = { ...(state.bringUp ?? plan('wake')), cause: 'wake', paused: true }
  if (wasWorking) next.turn = 'cut-off'
  show(run, { bringUp: next, parkedUntil: null, waiting: null })
}

/** A person has looked: what was typed in vain may be typed again. */
function typeAgain(state: SessionState): void {
  clearRefusals(state)
  for (const text of state.inbox)
    if (text.problem !== undefined) {
      delete text.problem
      text.again = true
    }
}
