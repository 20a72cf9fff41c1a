/** Reads the newest entry of a transcript, and whether a turn was under way. Reads from the end, so that length does not matter. */
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../../../policy/parseJson.js'
import type { TranscriptEnd } from '../../adapter/transcript.js'
import { openRegular } from '../../files.js'
import { resolveRealPath } from '../paths.js'
import { interruption, isStoppedPrompt, isStoppedTurn } from './entries.js'
import { eachLine } from './lines.js'

/** Enough for the last entries of most conversations; enlarged until it contains the entries that are needed. */
const firstPiece = 128 * 1024

const newline = 0x0a

const entrySchema = z.looseObject({
  uuid: z.string().min(1).max(128),
  timestamp: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text).toISOString())
    .nullable()
    .catch(null),
})

const turnSchema = z.looseObject({
  type: z.enum(['user', 'assistant', 'attachment']),
  isSidechain: z.boolean().optional().catch(undefined),
  isMeta: z.boolean().optional().catch(undefined),
  isCompactSummary: z.boolean().optional().catch(undefined),
  isApiErrorMessage: z.boolean().optional().catch(undefined),
  /** On the result of a tool: its refusal ended the turn. */
  toolDenialEndsTurn: z.boolean().optional().catch(undefined),
  message: z
    .looseObject({
      model: z.string().optional().catch(undefined),
      stop_reason: z.string().nullish().catch(undefined),
      content: z
        .union([
          z.string(),
          z.array(z.looseObject({ type: z.string(), text: z.string().optional().catch(undefined) })),
        ])
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
  attachment: z.looseObject({ type: z.string() }).optional().catch(undefined),
})
type TurnEntry = z.output<typeof turnSchema>

/** Null if the file does not exist or cannot be read. */
export async function readEnd(transcript: string, upTo = Infinity): Promise<TranscriptEnd | null> {
  const file = await openRegular(transcript).catch(() => null)
  if (file === null) return null
  try {
    const size = Math.min((await file.stat()).size, upTo)
    for (let wanted = firstPiece; ; wanted *= 4) {
      const from = Math.max(0, size - wanted)
      const piece = Buffer.alloc(size - from)
      const { bytesRead } = await file.read(piece, 0, piece.length, from)
      const end = endOf(linesOf(piece.subarray(0, bytesRead), from > 0), from === 0)
      if (from === 0 || (end.newest !== null && end.turn !== null)) return { bytes: size, ...end }
    }
  } catch {
    return null
  } finally {
    await file.close()
  }
}

/** Whole lines, the newest first. A cut first line and an unfinished last line are left out. */
function linesOf(piece: Buffer, isCut: boolean): string[] {
  const from = isCut ? piece.indexOf(newline) + 1 : 0
  const to = piece.lastIndexOf(newline)
  if (to < from || (isCut && from === 0)) return []
  return piece.subarray(from, to).toString('utf8').split('\n').reverse()
}

/** `isWhole`: the lines are the whole transcript. */
function endOf(lines: readonly string[], isWhole: boolean): Omit<TranscriptEnd, 'bytes'> {
  let newest: TranscriptEnd['newest'] = null
  let turn: TranscriptEnd['turn'] = null
  let hasResults = false
  for (const line of lines) {
    const json = parseJson(line)
    newest ??= entryOf(json)
    const after: TurnMark | null = turn === null ? turnAfter(json) : null
    // A hook may have stopped the turn between the results of tools that were called together.
    if (after === 'results') hasResults = true
    else if (after !== null) turn = hasResults && after !== 'stopped' ? 'open' : turnOf(after)
    if (newest !== null && turn !== null) break
  }
  if (turn === null && hasResults && isWhole) turn = 'open'
  return { newest, turn }
}

/** `results`: of tools, after which the turn goes on, unless a hook has `stopped` it. */
type TurnMark = NonNullable<TranscriptEnd['turn']> | 'results' | 'stopped'

const turnOf = (mark: Exclude<TurnMark, 'results'>): TranscriptEnd['turn'] =>
  mark === 'stopped' ? 'ended' : mark

function entryOf(json: unknown): TranscriptEnd['newest'] {
  const entry = entrySchema.safeParse(json).data
  return entry === undefined ? null : { id: entry.uuid, at: entry.timestamp }
}

/** Null for an entry that is not about the main thread's turns. */
function turnAfter(json: unknown): TurnMark | null {
  if (isStoppedPrompt(json)) return 'ended'
  if (isStoppedTurn(json)) return 'stopped'
  const entry = turnSchema.safeParse(json).data
  if (
    entry === undefined ||
    entry.isSidechain === true ||
    entry.isMeta === true ||
    entry.isCompactSummary === true
  )
    return null
  if (entry.type === 'assistant') return turnAfterAnswer(entry)
  if (entry.type === 'attachment') return entry.attachment?.type === 'queued_command' ? 'open' : null
  return turnAfterUser(entry)
}

/** An answer that the program itself writes, for example to a command, neither ends nor begins a turn. */
function turnAfterAnswer({ isApiErrorMessage, message }: TurnEntry): TranscriptEnd['turn'] {
  if (isApiErrorMessage === true) return 'failed'
  if (message?.model === '<synthetic>') return null
  const reason = message?.stop_reason ?? null
  return reason === null || reason === 'tool_use' || reason === 'pause_turn' ? 'open' : 'ended'
}

/** Commands of the program or a shell, and their output, are not turns of the agent. */
const notATurn = /^\s*<(?:command-name|command-message|local-command-|bash-(?:input|stdout|stderr))/

function turnAfterUser({ message, toolDenialEndsTurn }: TurnEntry): TurnMark | null {
  const content = message?.content
  if (content === undefined) return null
  if (typeof content !== 'string' && content.some(({ type }) => type === 'tool_result'))
    return toolDenialEndsTurn === true ? 'stopped' : 'results'
  const text =
    typeof content === 'string'
      ? content
      : content.flatMap((block) => (block.type === 'text' ? [block.text ?? ''] : [])).join('\n')
  // A turn that a person has interrupted is over.
  if (interruption.test(text)) return 'ended'
  return notATurn.test(text) ? null : 'open'
}

/** A line that only refers to the entry does not count: a program that ends writes such a line even if the entry is missing. */
export async function containsEntry(transcript: string, id: string): Promise<boolean> {
  let found = false
  await eachLine(transcript, 0, (line) => {
    found ||= line.includes(id) && entryOf(parseJson(line))?.id === id
  })
  return found
}

/** A transcript is in `<config dir>/projects/<folder>/`. */
export const configDirOf = (transcript: string): string =>
  resolveRealPath(join(dirname(transcript), '..', '..'))
