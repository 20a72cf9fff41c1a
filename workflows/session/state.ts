/** The state of a session's workflow, in one object that is carried over at continue-as-new. */
import type { TurnState } from './continuationPrompt.js'
import type { Wall } from '../../policy/account/account.js'
import { accountToWaitFor, type FeatureOff } from '../../policy/features.js'
import type { AdoptionLoss } from '../../policy/session/adoption.js'
import type {
  RescueCause,
  RescueEntry,
  SessionPreferences,
  SessionProgress,
} from '../../policy/session/session.js'
import type { ReleaseResult } from '../../activities/adoption/contracts.js'
import type {
  EvidenceClass,
  PlaceRef,
  PlannedWakeUp,
  SessionEvent,
  WatchRequest,
} from '../../activities/contracts.js'
import type { CountedTurn, TurnCause } from '../../policy/session/breaker.js'
import type { MoveArgs, Prompt, SessionStart, UndeliveredText } from '../messages.js'

/** Why and where the session is to be started next. */
export interface StartPlan {
  cause: RescueCause | 'start'
  wall: Wall | null
  /** How the wall is known; absent for one that was only read. */
  evidence?: EvidenceClass
  /** Set if a person ordered it. */
  byPerson?: boolean
  /** A first choice of account, or the only one. */
  prefer: string | null
  pinned: boolean
  exclude: string[]
  /** The state of its turn, which decides what the agent is told. */
  turn: TurnState
  /** What was observed, in a few words. */
  why: string | null
  /** The end of a pause after a crash, or null. */
  notBefore: string | null
  /** Whether a person had paused it. */
  wasPaused: boolean
  /** The id of the request that its host has sent to the pool already. */
  sentRequestId?: string
  /** Only of a move for which no person asked: if it finds no place, it leaves no entry in the rescue log. */
  isVoluntary?: boolean
  /** Whether the session is parked: its process is stopped, and its next start is a rescue entry with cause `wake`. */
  isParked: boolean
  /** Set if the process of a parked session still runs: why it was not ended. */
  heldBy?: string
  /** The tries of this start that failed; absent if none did. */
  failures?: StartFailures
  /** Only of a first start that no account takes unattended: the program may open a page, which the person answers. */
  allowOpenPage?: boolean
}

export interface StartFailures {
  count: number
  /** The newest one, for a person. */
  attention: string
  /**
   * An account would have taken the session, but its conversation could not be carried there: no fallback is paid for before
   * the accounts were tried again.
   */
  isCarry: boolean
}

/** The fork on which the session works while it is on substrates. */
export interface Fork {
  /** Its conversation, chosen before the first launch. */
  id: string
  since: string
}

/** A plan without any preference. */
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
  /** `breaker-tripped`: from the session's breaker. */
  | { kind: 'pause' | 'resume' | 'release' | 'breaker-tripped' }
  /** `why`: given if it is not a person's order. */
  | { kind: 'stop'; why?: string }

export interface InboxText extends UndeliveredText {
  /** Not to be typed before this. */
  notBefore?: string
  /** Set on texts of Outpool or of a task, which count for the breaker. */
  cause?: TurnCause
  /** Whether the breaker has counted it. */
  isCounted?: boolean
  /** A prompt after this point of the transcript, in bytes, takes the place of this text. */
  skipIfPromptedAfter?: number
  /** Why the text waits for a person: it was typed as often as it may be. Later texts are delivered. */
  problem?: string
  /** Why the text could not be typed at the last try. It is tried again. */
  blockedBy?: string
  /** A person asks for it to be typed again. */
  retype?: boolean
}

export interface SessionState
  extends
    Omit<SessionStart, 'models' | 'fallback' | 'forks' | 'texts'>,
    Pick<SessionPreferences, 'models' | 'fallback'>,
    SessionProgress {
  place: PlaceRef | null
  /** The account where its own conversation was last written. */
  home: PlaceRef | null
  /** Null while the session is on an account. */
  fork: Fork | null
  /** Forks of earlier stays of which its own conversation may not know yet, oldest first. */
  forks: string[]
  /** The model that it runs with now; null is the agent's default. */
  runsModel: string | null
  /** An account has room for the session, which is on a fallback. */
  isFailbackOffered: boolean
  /** Features that its host has switched off, because the installed agent program lacks what they need; absent if none is. */
  featuresOff?: FeatureOff[]
  /** Substrates on which its conversation does not fit. */
  unfit: string[]
  fence: number
  /** Bytes of the transcript that were read already, or belong to processes before. */
  transcriptFrom: number
  /** The number of lease requests so far, from which the id of the next one is made. */
  requestCount: number
  /** What the session waits for, or null. */
  waiting: WatchRequest['waiting']
  /** A planned move found no better place: not again before this. */
  stayUntil: string | null
  /** Orders that were not carried out yet, oldest first. */
  orders: SessionOrder[]
  /** Texts not yet taken by the agent, oldest first. */
  inbox: InboxText[]
  /** Commands and texts that were refused for good, newest last. `attention` is shown until a person acts. */
  refused?: { id: string; problem: string; attention?: string }[]
  /** Wake-ups that no process will deliver by itself. */
  plannedWakeUps?: PlannedWakeUp[]
  /** Ids of texts that were taken, so that one sent twice arrives once. */
  takenTexts: string[]
  /** The first prompt, until the agent has taken it. */
  firstPrompt: Prompt | null
  /** Instants of the crashes that still count. */
  crashes: string[]
  /** Turns in a row that failed on something transient. */
  transients: number
  /** Set while `attention` is shown until the agent answers again. */
  isAttentionUntilAnswer?: boolean
  /** When a hanging agent was last interrupted instead of being killed. */
  interruptedAt: string | null
  /** The next start; null while the agent runs and is watched. */
  plan: StartPlan | null
  paused: boolean
  /** Turns that Outpool began and that still count for the breaker. */
  countedTurns: CountedTurn[]
  /** Set while the session is parked by the breaker: a person has to resume it. */
  breaker: { at: string; attention: string } | null
  /** Set while the host refuses to watch the session: the tries, the attention shown for it, and the one that it replaces. */
  unwatched: { tries: number; attention: string; otherwise: string | null } | null
  /** Only with `once`: the session's work is done. */
  workDone?: boolean
  /** Only with `adoption`: its agent is at the end of a turn, and is taken over by the next launch. */
  isAdoptionReady?: boolean
  /** What holds the adoption up. */
  adoptionBlockedBy?: AdoptionLoss[]
  /** Set once a person has taken the session back. */
  released?: ReleaseResult
  /** Since when the worker of its host has not been heard of; absent while it is. */
  hostSilentSince?: string
  events: EventState
}

/** What the events of a session are made from (events.ts). */
interface EventState {
  /** The number of events so far, from which the id of the next one is made. */
  count: number
  /** Those that no step is known to have taken to the host. */
  unsent: SessionEvent[]
  /** Whether the first start was an event. */
  isStarted: boolean
  parkedSince: string | null
  waitingSince: string | null
  fallbackSince: string | null
}

/** Entries that are kept: older moves are in the engine's history. */
const maxRescueLog = 50

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
    events: {
      ...{ count: 0, unsent: [], isStarted: false },
      ...{ parkedSince: null, waitingSince: null, fallbackSince: null },
    },
  }
}

/** The account that the session waits for, whatever else is able; null if any will do. */
export const onlyAccount = ({ pinned, account, featuresOff, home }: SessionState): string | null =>
  pinned ? account : accountToWaitFor(featuresOff, home?.name ?? null)

/** To be called with what a step of the host has said: undefined if nothing is off. */
export function noteFeatures(state: SessionState, off: FeatureOff[] | undefined): void {
  if (off === undefined) delete state.featuresOff
  else state.featuresOff = off
}

/** Whether so many turns in a row have failed that a person has to look. */
export const isFailing = ({ transients }: SessionState): boolean => transients >= 5

/** Whether the agent's process runs and can take a text. */
export function isUp(state: SessionState): boolean {
  return state.plan === null && ['working', 'idle', 'waiting'].includes(state.phase)
}

export function openEntry(
  state: SessionState,
  { cause, wall, byPerson }: { cause: RescueCause; wall: Wall | null; byPerson?: boolean },
  now: string,
): RescueEntry {
  const entry: RescueEntry = {
    n: (state.rescueLog.at(-1)?.n ?? 0) + 1,
    cause,
    ...(byPerson === true ? { byPerson } : {}),
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
