/** Whether an agent that a person started can be adopted, what of it would not carry over, and when it may be taken over. */

/** Where a person sees an agent. */
export type PersonTerminal =
  /** `window` and `index` are tmux's numbers of the window and of the pane in it. */
  | { kind: 'tmux'; socket: string; pane: string; session: string; window: number; index: number }
  | { kind: 'tty'; path: string }

/** What is asked for when a running agent, or a stopped conversation, is adopted. */
export interface Adoption {
  /** The person's process; null if the conversation is stopped. `start`: when it started, in the format of the system. */
  process: { pid: number; start: string } | null
  /** The config dir in which the conversation lies. */
  configDir: string
  /** Interrupt its turn instead of waiting for the end. */
  now: boolean
  /** A person has agreed to lose what does not carry over. */
  acceptsLoss: boolean
}

export const adoptionRefusals = [
  /** Another agent started it, so it belongs to a turn of that one. */
  'started-by-agent',
  /** An Outpool with another home keeps it. */
  'another-outpool',
  /** It runs without a person, and ends by itself. */
  'not-interactive',
  /** It reports no state: it is starting, waits on a first page, or keeps no conversation. */
  'no-state',
  /** Nothing was said to it, so there is no conversation yet. */
  'nothing-said',
  /** The folder in which it works is gone. */
  'folder-missing',
] as const
export type AdoptionRefusal = (typeof adoptionRefusals)[number]

export interface AdoptionFacts {
  startedBy: 'person' | 'agent' | 'another-outpool'
  isInteractive: boolean
  hasState: boolean
  hasTranscript: boolean
  hasFolder: boolean
}

/** Null if it can be adopted. */
export function adoptionRefusal(facts: AdoptionFacts): AdoptionRefusal | null {
  if (facts.startedBy === 'agent') return 'started-by-agent'
  if (facts.startedBy === 'another-outpool') return 'another-outpool'
  if (!facts.isInteractive) return 'not-interactive'
  if (!facts.hasState) return 'no-state'
  if (!facts.hasTranscript) return 'nothing-said'
  return facts.hasFolder ? null : 'folder-missing'
}

/** Something that would not carry over. */
export type AdoptionLoss =
  /** What is typed and not sent can't be seen, because the terminal is not a pane of tmux. */
  | { kind: 'unseen-input' }
  /** A draft is not shown whole: it holds pasted text or pictures, or is longer than its screen. */
  | { kind: 'cut-draft' }
  /** A second draft, which the program holds back. */
  | { kind: 'stashed-draft' }
  | { kind: 'background-tasks'; tasks: string[] }
  /** Names of variables of its environment that change how the program works. */
  | { kind: 'variables'; names: string[] }
  /** Options that Outpool does not know. */
  | { kind: 'options'; names: string[] }

export interface CarryFacts {
  /** What its screen shows in the input line; null if the screen can't be read. */
  draft: 'none' | 'whole' | 'cut' | null
  hasStashedDraft: boolean
  tasks: readonly string[]
  variables: readonly string[]
  options: readonly string[]
}

export function adoptionLosses(facts: CarryFacts): AdoptionLoss[] {
  const losses: AdoptionLoss[] = []
  if (facts.draft === null) losses.push({ kind: 'unseen-input' })
  if (facts.draft === 'cut') losses.push({ kind: 'cut-draft' })
  if (facts.hasStashedDraft) losses.push({ kind: 'stashed-draft' })
  if (facts.tasks.length > 0) losses.push({ kind: 'background-tasks', tasks: [...facts.tasks] })
  if (facts.variables.length > 0) losses.push({ kind: 'variables', names: [...facts.variables] })
  if (facts.options.length > 0) losses.push({ kind: 'options', names: [...facts.options] })
  return losses
}

export interface TakeOverFacts {
  /** `menu`: it waits in a menu that closes without a decision. `dialog`: it waits for a person. */
  activity: 'busy' | 'idle' | 'menu' | 'dialog'
  losses: readonly AdoptionLoss[]
}

/** `close-menu`: only then can its input line be read. `wait`: for the end of its turn. `blocked`: for a person. */
type TakeOverStep = 'take' | 'close-menu' | 'wait' | 'blocked'

export function nextTakeOverStep(
  { activity, losses }: TakeOverFacts,
  { now, acceptsLoss }: Pick<Adoption, 'now' | 'acceptsLoss'>,
): TakeOverStep {
  if (activity === 'menu') return 'close-menu'
  if (activity !== 'idle' && !now) return 'wait'
  return losses.length > 0 && !acceptsLoss ? 'blocked' : 'take'
}
