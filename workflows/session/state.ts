/** Everything a session workflow knows, in one object that survives continue-as-new. */
import type { TurnState } from '../../policy/session/continuationPrompt.js'
import type { Wall } from '../../policy/account/account.js'
import type { Phase, RescueCause, RescueEntry, SessionDetails } from '../../policy/session/session.js'
import type { PlaceRef, PlannedWakeUp } from '../../activities/contracts.js'
import type { CountedTurn, TurnCause } from '../../policy/session/breaker.js'
import type { MoveArgs, Prompt, SessionResult, SessionStart, UndeliveredText } from '../messages.js'

/** How the session is to be brought up next, and why. */
export interface StartPlan {
  cause: RescueCause | 'start'
  wall: Wall | null
  /** A first choice of account, or the only one. */
  prefer: string | null
  pinned: boolean
  exclude: string[]
  /** How the turn stood, which decides what the agent is told. */
  turn: TurnState
  /** In a few words, for the log: what was seen. */
  why: string | null
  /** Not before this: a pause after a crash. */
  notBefore: string | null
  /** A person had paused it. */
  wasPaused: boolean
  /** The id under which its host has asked the pool already. */
  sentRequestId?: string
  /** Nobody could take it, and its process is stopped: what comes is a waking up, and an entry of its own. */
  isParked: boolean
  /** A first start that no account takes unattended: it may stand in a page that the person who started it answers. */
  despitePages?: boolean
}

/** What the session works on while it is on substrates. */
export interface Fork {
  /** Its conversation, chosen before the first launch. */
  id: string
  since: string
}

/** What is to be done, with nothing asked for in particular. */
export function newPlan(cause: StartPlan['cause'], change: Partial<StartPlan> = {}): StartPlan {
  return {
    cause,
    wall: null,
    prefer: null,
    pinned: false,
    exclude: [],
    turn: 'idle',
    why: null,
    notBefore: null,
    wasPaused: false,
    isParked: false,
    ...change,
  }
}

export type SessionOrder =
  | { kind: 'move'; args: MoveArgs }
  /** `trip`: the breaker's own order. */
  | { kind: 'pause' | 'resume' | 'breaker-tripped' }
  /** `why` where it is no person's wish. */
  | { kind: 'stop'; why?: string }

export interface InboxText extends UndeliveredText {
  /** Not to be typed before this. */
  notBefore?: string
  /** Outpool's own, or a task's: it counts for the breaker. Not there on a person's. */
  cause?: TurnCause
  /** Whether the breaker has counted it. */
  isCounted?: boolean
  /** Whatever is said after this point of the transcript, in bytes, takes its place. */
  skipIfPromptedAfter?: number
  /** Why it waits for a person: it was typed as often as it may be. Texts behind it go on. */
  problem?: string
  /** Why it could not be typed at the last try. It is tried again. */
  blockedBy?: string
  /** A person wants it typed again. */
  retype?: boolean
}

export interface SessionState extends Omit<SessionStart, 'models' | 'fallback' | 'texts'> {
  models: string[]
  fallback: string[] | null
  phase: Phase
  place: PlaceRef | null
  /** Why this place, in a few words. */
  why: string | null
  /** Since when it is there. */
  since: string | null
  /** The account where its own conversation was last written. */
  home: PlaceRef | null
  /** Null at home. */
  fork: Fork | null
  /** Forks of earlier stays of which its own conversation may not know yet, oldest first. */
  forks: string[]
  /** The model that it runs with now, where that is not the agent's default. */
  runsModel: string | null
  /** The pool has room at home for it. */
  isFailbackOffered: boolean
  /** Substrates that will not do for its conversation. */
  unfit: string[]
  fence: number
  pane: string | null
  pid: number | null
  tmuxSocket: string | null
  transcript: string | null
  transcriptFrom: number
  startedAt: string
  rescues: number
  rescueLog: RescueEntry[]
  /** Counts lease requests, so that each has an id of its own. */
  requestCount: number
  walledUntil: string | null
  parkedUntil: string | null
  attention: string | null
  waiting: { what: string; endsWith: 'dialog' | 'turn'; digest?: string | null } | null
  /** A planned move found no better place: not again before this. */
  stayUntil: string | null
  /** What people asked for and was not yet carried out, oldest first. */
  orders: SessionOrder[]
  /** Texts not yet taken by the agent, oldest first. */
  inbox: InboxText[]
  /** Commands and texts that were refused for good, newest last. `attention` is what a person is told until they act. */
  refused?: { id: string; problem: string; attention?: string }[]
  /** Wake-ups that no process will say by itself. */
  plannedWakeUps?: PlannedWakeUp[]
  /** Ids of texts that were taken, so that one sent twice arrives once. */
  takenTexts: string[]
  /** The first prompt, until the agent has taken it. */
  firstPrompt: Prompt | null
  /** Instants of the crashes that still count. */
  crashes: string[]
  /** Turns in a row that failed on something transient. */
  transients: number
  /** When a hanging agent was last interrupted instead of being killed. */
  interruptedAt: string | null
  /** What is to be done next; null while the agent runs and is watched. */
  plan: StartPlan | null
  paused: boolean
  /** Turns that Outpool itself began of late. */
  countedTurns: CountedTurn[]
  /** Set while the breaker holds the session: a person has to resume it. */
  breaker: { at: string; attention: string } | null
  /** While its host will not watch it: how often that was tried, what a person is told, and what they are told otherwise. */
  unwatched: { tries: number; attention: string; otherwise: string | null } | null
  /** The one piece of work that the session was there for is done. */
  workDone?: boolean
}

/** Older moves are in the engine's history; the log is for people. */
const maxRescueLog = 50
const maxTaken = 200
/** For senders who wait for the answer. */
const maxRefused = 20

export function isState(input: SessionStart | SessionState): input is SessionState {
  return 'rescueLog' in input
}

export function newState({ texts = [], ...start }: SessionStart, now: string): SessionState {
  return {
    ...start,
    models: start.models ?? (start.model === null ? [] : [start.model]),
    fallback: start.fallback ?? null,
    forks: start.forks ?? [],
    phase: 'starting',
    place: null,
    why: null,
    since: null,
    home: null,
    fork: null,
    runsModel: start.models?.[0] ?? start.model,
    isFailbackOffered: false,
    unfit: [],
    fence: 0,
    pane: null,
    pid: null,
    tmuxSocket: null,
    transcript: null,
    transcriptFrom: 0,
    startedAt: now,
    rescues: 0,
    rescueLog: [],
    requestCount: 0,
    walledUntil: null,
    parkedUntil: null,
    attention: null,
    waiting: null,
    stayUntil: null,
    orders: [],
    inbox: texts,
    takenTexts: [],
    firstPrompt: start.prompt,
    crashes: [],
    transients: 0,
    interruptedAt: null,
    plan: newPlan('start', { prefer: start.account, pinned: start.pinned }),
    paused: false,
    countedTurns: [],
    breaker: null,
    unwatched: null,
  }
}

/** The account that the session waits for, whatever else is able; null where any will do. */
export const onlyAccount = ({ pinned, account }: SessionState): string | null => (pinned ? account : null)

/** Turns that fail this often in a row are for a person to look at. */
export const isFailing = ({ transients }: SessionState): boolean => transients >= 5

/** The text that is to be typed next: the oldest that does not wait for a person. */
export const nextText = ({ inbox }: SessionState): InboxText | null =>
  inbox.find(({ problem }) => problem === undefined) ?? null

/** What a person has to know now: trouble of the session's own comes before that of a text. */
export const attentionOf = ({ attention, inbox, refused = [] }: SessionState): string | null => {
  const waiting = inbox.find(({ problem, blockedBy }) => problem !== undefined || blockedBy !== undefined)
  const refusal = refused.findLast((one) => one.attention !== undefined)
  return attention ?? waiting?.problem ?? waiting?.blockedBy ?? refusal?.attention ?? null
}

/**
 * Takes the text out of the inbox for good, so that later ones go on. `notice` begins what a person is told of it; null if only
 * its sender is told.
 */
export function recordRefusal(state: SessionState, id: string, problem: string, notice: string | null): void {
  const remedy = `send it in other words or change the hook; outpool resume ${state.name} clears this notice`
  const attention = notice === null ? {} : { attention: `${notice}: ${problem}; ${remedy}` }
  state.refused = [...(state.refused ?? []), { id, problem, ...attention }].slice(-maxRefused)
  state.inbox = state.inbox.filter((text) => text.id !== id)
}

/** To be called when a person has acted, and so has seen the notices. */
export function clearRefusals(state: SessionState): void {
  for (const one of state.refused ?? []) delete one.attention
}

/** What a person says goes before what Outpool would say itself, and in its place; a wake-up is the agent's own. */
export const withoutContinuations = (inbox: readonly InboxText[]): InboxText[] =>
  inbox.filter(({ cause }) => cause === undefined || cause === 'task' || cause === 'wake-up')

/** Has the agent told to go on, unless a text of a person's waits already, which is said in place of it. */
export function queueContinuation(state: SessionState, goOn: InboxText): void {
  const isPersons = ({ cause, problem }: InboxText): boolean => cause === undefined && problem === undefined
  if (!state.inbox.some(isPersons)) state.inbox = [goOn, ...withoutContinuations(state.inbox)]
}

/** Whether the agent's process is there and can take a text. */
export function isUp(state: SessionState): boolean {
  return state.plan === null && ['working', 'idle', 'waiting'].includes(state.phase)
}

export function openEntry(
  state: SessionState,
  cause: RescueCause,
  wall: Wall | null,
  now: string,
): RescueEntry {
  const entry: RescueEntry = {
    n: (state.rescueLog.at(-1)?.n ?? 0) + 1,
    cause,
    from: state.place?.name ?? null,
    to: null,
    wall: wall && { kind: wall.kind, scope: wall.scope, resetsAt: wall.resetsAt, evidence: wall.evidence },
    startedAt: now,
    endedAt: null,
    steps: [],
    result: null,
  }
  state.rescueLog = [...state.rescueLog, entry].slice(-maxRescueLog)
  if (cause === 'wall') state.rescues += 1
  return entry
}

/** What was typed was typed before whatever still waits. */
export function queueTyped(state: SessionState, ids: readonly string[]): void {
  const isKnown = (id: string): boolean =>
    state.takenTexts.includes(id) || state.inbox.some((text) => text.id === id)
  const typed = ids.filter((id) => !isKnown(id)).map((id): InboxText => ({ id, text: null }))
  if (typed.length > 0) state.inbox = [...typed, ...withoutContinuations(state.inbox)]
}

export function markTaken(state: SessionState, id: string): void {
  state.inbox = state.inbox.filter((text) => text.id !== id)
  state.takenTexts = [...state.takenTexts, id].slice(-maxTaken)
}

export function details(state: SessionState): SessionDetails {
  const { name, phase, place, since, fork, agent, sessionId, cwd, host, pane, rescues } = state
  const { walledUntil, parkedUntil, why, tmuxSocket, pid, transcript, startedAt, rescueLog } = state
  return {
    name,
    phase,
    account: place?.kind === 'account' ? place.name : null,
    substrate: place?.kind === 'substrate' ? place.name : null,
    agent,
    sessionId,
    cwd,
    host,
    pane,
    model: state.runsModel,
    rescues,
    walledUntil,
    parkedUntil,
    attention: attentionOf(state),
    why,
    tmuxSocket,
    pid,
    transcript,
    fork: fork?.id ?? null,
    untoldForks: state.forks,
    since,
    nextWakeUp:
      (state.plannedWakeUps ?? [])
        .map(({ at }) => at)
        .sort()
        .at(0) ?? null,
    models: state.models,
    fallback: state.fallback,
    pinnedTo: onlyAccount(state),
    priority: state.priority,
    startedAt,
    rescueLog,
  }
}

export function sessionResult(state: SessionState): SessionResult {
  const { once, workDone, firstPrompt, inbox } = state
  return {
    ...details(state),
    ...(once === true ? { workDone: workDone === true } : {}),
    undelivered: {
      prompt: firstPrompt,
      texts: withoutContinuations(inbox).map(({ id, text, command }) => ({
        id,
        text,
        ...(command === true ? { command } : {}),
      })),
    },
  }
}
