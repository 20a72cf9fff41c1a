/**
 * What our messages to workflows and activities are wrapped in before they are sealed: what a message may be used for, and by which
 * workflow. The seal proves who made a message; the envelope keeps one that was captured from being used for anything else.
 */

/** What a message is for: to start a workflow of a kind, or the name of a signal, update, query or activity, or the answer of one. */
export type Use = `${'start' | 'signal' | 'update' | 'query' | 'activity' | 'result'} ${string}`

export interface Envelope {
  use: Use
  /** The id of the workflow that is started, gets the message, or has the activity carried out. */
  to: string
  args: readonly unknown[]
  /** The start of a workflow by a schedule, which appends an instant to the id. */
  scheduled?: true
}

/** Why a payload proves nothing: it is not sealed, or with a key that this host does not have. */
export type Unproven = 'unsealed' | 'unknown key'

/** Why a message is not acted on: as above, or it was made for something else. */
export type RefusalCause = Unproven | 'misused'

export type OpenedEnvelope = { args: unknown[]; refused: null } | { args: null; refused: RefusalCause }

const unprovenKey = 'outpoolUnproven'
const readableKey = 'outpoolReadable'

/** What stands for a payload that proves nothing. A sealed message never has this shape: its arguments are in an envelope. */
export const unprovenMark = (why: Unproven): Record<string, Unproven> => ({ [unprovenKey]: why })

/** Null for a value that was sealed with one of our keys. */
export function unprovenCause(value: unknown): Unproven | null {
  const why = onlyValue(value, unprovenKey)
  if (why === undefined) return null
  return why === 'unknown key' ? why : 'unsealed'
}

/** Marks a text that is stored as it is, for the engine's own views. */
export const readable = (text: string): string => ({ [readableKey]: text }) as unknown as string

/** The text that `readable` marked, or null. */
export function readableText(value: unknown): string | null {
  const text = onlyValue(value, readableKey)
  return typeof text === 'string' ? text : null
}

export const envelope = (use: Use, to: string, args: readonly unknown[]): [Envelope] => [{ use, to, args }]

/** The use of one activity's result: no result of another activity, or of another run, passes for it. */
export const resultUse = (activityType: string, runId: string, activityId: string): Use =>
  `result ${activityType} ${runId} ${activityId}`

/** The arguments of a message, if it was sealed for this use by this workflow. */
export function openEnvelope(args: readonly unknown[], use: Use, to: string): OpenedEnvelope {
  const [wrapped] = args
  const unproven = args.map(unprovenCause).find((cause) => cause !== null)
  if (unproven !== undefined) return { args: null, refused: unproven }
  // A message without arguments from someone who does not wrap them.
  if (wrapped === undefined) return { args: null, refused: 'unsealed' }
  if (!isEnvelope(wrapped) || wrapped.use !== use || !isFor(wrapped, to))
    return { args: null, refused: 'misused' }
  return { args: [...wrapped.args], refused: null }
}

const isFor = ({ to, scheduled }: Envelope, workflowId: string): boolean =>
  scheduled === true ? workflowId.startsWith(`${to}-`) : workflowId === to

const isEnvelope = (value: unknown): value is Envelope =>
  typeof value === 'object' &&
  value !== null &&
  'use' in value &&
  'to' in value &&
  'args' in value &&
  Array.isArray(value.args)

/** The value of an object that has this key and no other. */
function onlyValue(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return Object.keys(value).length === 1 ? (value as Record<string, unknown>)[key] : undefined
}
