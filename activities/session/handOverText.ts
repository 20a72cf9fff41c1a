/** The hand-over text: tells a conversation what its forks did. However much that was, its length is bounded. */

export interface ForkReport {
  /** The fork's conversation id. */
  fork: string
  /** The path of its transcript. */
  transcript: string
  turns: { asked: string | null; answered: string | null }[]
  files: string[]
}

export interface HandOver {
  /** Read by the model with its next prompt. */
  message: string
  /** The whole text if it is too long for the message, else null. It goes to the file that the message names. */
  full: string | null
}

/** Marks the hand-over of a fork, so that a transcript shows which forks its conversation knows of. */
export const handOverMark = (fork: string): string => `outpool hand-over ${fork}`

/** Characters. The message stays well below what the agent program takes from a hook without cutting it (10,000). */
const messageMax = 6_000
const inMessage = { asked: 300, answered: 700, turns: 6, files: 30 }
const inFile = { asked: 20_000, answered: 20_000, turns: Infinity, files: Infinity }

/** `file` is the path for the whole text, if the message has no room for it. */
export function handOver(reports: readonly ForkReport[], file: string): HandOver | null {
  if (reports.length === 0) return null
  const full = [head, ...reports.map((report) => renderReport(report, inFile))].join('\n\n')
  if (full.length <= messageMax && reports.every(isShort)) return { message: full, full: null }
  const room = Math.floor((messageMax - head.length - 300) / reports.length)
  const parts = reports.map((report) => truncateReport(renderReport(report, inMessage), room, report))
  const pointer = `This is an extract. Read the whole of it in ${file} before you build on that work.`
  return { message: [head, ...parts, pointer].join('\n\n'), full }
}

const head =
  'From outpool, which runs this session: while no account had usage left, your work was continued in a copy of this conversation (a fork) on a fallback model. What was said and done there is not in your history; take it as done, and check the files before you rely on it.'

const isShort = ({ turns }: ForkReport): boolean =>
  turns.every(
    ({ asked, answered }) =>
      (asked ?? '').length <= inMessage.asked && (answered ?? '').length <= inMessage.answered,
  )

function renderReport({ fork, transcript, turns, files }: ForkReport, room: typeof inFile): string {
  const left = Math.max(0, turns.length - room.turns)
  return [
    `[${handOverMark(fork)}]`,
    left === 0 ? '' : `(${left} earlier turns left out)`,
    ...turns
      .slice(left)
      .flatMap(({ asked, answered }) => [
        asked === null ? '' : `Asked: ${cut(asked, room.asked)}`,
        answered === null ? 'Not answered.' : `Answered: ${cut(answered, room.answered)}`,
      ]),
    files.length === 0
      ? 'It changed no files with its editing tools.'
      : `Files changed: ${files.slice(0, room.files).join(', ')}${files.length > room.files ? `, and ${files.length - room.files} more` : ''}`,
    `Its transcript: ${transcript}`,
  ]
    .filter((line) => line !== '')
    .join('\n')
}

/** A cut message still names its fork and the path of the transcript. */
function truncateReport(text: string, room: number, { transcript }: ForkReport): string {
  if (text.length <= room) return text
  return `${text.slice(0, Math.max(100, room - transcript.length - 40))} [...]\nIts transcript: ${transcript}`
}

const cut = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max)} [... ${text.length - max} more characters]`
