/** Reads a captured screen, with or without colours (`tmux capture-pane -p`, `-pe`). */

const escapeCode = String.fromCharCode(27)
/** The escape sequence of a style, or of a link around a text. */
const sequence = new RegExp(`${escapeCode}(?:\\[([0-9;:]*)m|\\][^${escapeCode}]*${escapeCode}\\\\)`, 'g')

const linesOf = (text: string): string[] =>
  text.split('\n').map((line) => line.replaceAll('\u00a0', ' ').trimEnd())

export const plainLines = (screen: string): string[] => linesOf(screen.replaceAll(sequence, ''))

/** The screen without dim text, which is how hints are drawn. Has no effect on captures without colours. */
export function typedLines(screen: string): string[] {
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

/** The lines of the input box, without marker and indent; null if there is no box at the bottom of the screen. */
export function inputBox(lines: readonly string[]): string[] | null {
  const rules = lines.flatMap((line, i) => (isRule(line) ? [i] : []))
  const [top, bottom] = [rules.at(-2), rules.at(-1)]
  if (top === undefined || bottom === undefined) return null
  if (!/^[❯!#](?: |$)/.test(lines[top + 1] ?? '')) return null
  return lines.slice(top + 1, bottom).map((line) => line.slice(2))
}
