/** Reads a captured screen, with or without colours (`tmux capture-pane -p`, `-pe`). */

const escapeCode = String.fromCharCode(27)
/** The escape sequence of a style, or of a link around a text. */
const sequence = new RegExp(`${escapeCode}(?:\\[([0-9;:]*)m|\\][^${escapeCode}]*${escapeCode}\\\\)`, 'g')

const linesOf = (text: string): string[] =>
  text.split('\n').map((line) => line.replaceAll('\u00a0', ' ').trimEnd())

export const plainLines = (screen: string): string[] => linesOf(screen.replaceAll(sequence, ''))

/** The screen without dim text, which is how hints are drawn. Has no effect on captures without colours. */
function typedLines(screen: string): string[] {
  let typed = ''
  let cursorCell = ''
  let style = { dim: false, reverse: false }
  const take = (text: string): void => {
    if (text === '') return
    if (style.reverse) {
      cursorCell += text
      return
    }
    // The cursor is on the first letter of a hint.
    if (!style.dim) typed += cursorCell + text
    else typed += text.replaceAll(/[^\n]/g, '')
    cursorCell = ''
  }
  let from = 0
  for (const found of screen.matchAll(sequence)) {
    take(screen.slice(from, found.index))
    from = found.index + found[0].length
    if (found[1] !== undefined) style = styleAfter(style, found[1])
  }
  take(screen.slice(from))
  return linesOf(typed + cursorCell)
}

function styleAfter(
  style: { dim: boolean; reverse: boolean },
  numbers: string,
): { dim: boolean; reverse: boolean } {
  const codes = numbers.split(';')
  let { dim, reverse } = style
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? ''
    // A colour is followed by further numbers.
    if (code === '38' || code === '48') i += codes[i + 1] === '5' ? 2 : 4
    else if (code === '' || code === '0') [dim, reverse] = [false, false]
    else if (code === '2') dim = true
    else if (code === '22') dim = false
    else if (code === '7') reverse = true
    else if (code === '27') reverse = false
  }
  return { dim, reverse }
}

/** A line across the screen: a dialog is below it, and the input box is between two of them. */
export const isRule = (line: string): boolean => /^[─━▔]{10,}/.test(line)

/** An edge of the input box that says what the box does not show, or which earlier prompt it shows in place of the draft. */
const labelledEdge = /^─{3} (↑ \d+ more)?(?: · )?(↓ \d+ more)?(History(?: \d+\/\d+)?)? ─{3,}/

interface InputBox {
  /** The lines of its upper and of its lower edge. */
  top: number
  bottom: number
  /** Lines of the draft are above or below those that it shows: it grows to about half of the screen, and then scrolls. */
  isCut: boolean
  /** It shows an earlier prompt. The program keeps the draft, and shows it again below the newest prompt. */
  isHistory: boolean
}

/** Takes plain lines, since labels are dim. Null if there is no input box at the bottom of the screen. */
export function inputBox(lines: readonly string[]): InputBox | null {
  const edges = lines.flatMap((line, at) => {
    const label = labelledEdge.exec(line)
    return label !== null || isRule(line) ? [{ at, label }] : []
  })
  const [upper, lower] = [edges.at(-2), edges.at(-1)]
  if (upper === undefined || lower === undefined) return null
  const isAboveCut = upper.label?.[1] !== undefined
  // The marker of words is on the first line of the draft only.
  if (!isAboveCut && !/^[❯!#](?: |$)/.test(lines[upper.at + 1] ?? '')) return null
  return {
    top: upper.at,
    bottom: lower.at,
    isCut: isAboveCut || [upper, lower].some(({ label }) => label?.[2] !== undefined),
    isHistory: upper.label?.[3] !== undefined,
  }
}

/** The typed lines in the input box, without marker and indent; null if there is no box. */
export function typedRows(screen: string): string[] | null {
  const box = inputBox(plainLines(screen))
  return (
    box &&
    typedLines(screen)
      .slice(box.top + 1, box.bottom)
      .map((line) => line.slice(2))
  )
}
