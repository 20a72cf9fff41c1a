/** Changes a YAML text, and leaves everything as it is that the change does not concern: comments, blank lines, alignment. */
import { isDeepStrictEqual } from 'node:util'
import { type Document, parseDocument } from 'yaml'

/** The ways in which people indent; the library writes a whole document in one of them. */
const styles = [
  { indent: 2, indentSeq: true },
  { indent: 2, indentSeq: false },
  { indent: 4, indentSeq: true },
  { indent: 4, indentSeq: false },
].map((style) => ({ ...style, lineWidth: 0 }))

/**
 * The text after the change of its document. If no style of the library resembles the text, the whole of it is written in the
 * library's own: then only alignment is lost.
 */
export function editYaml(text: string, change: (document: Document) => void): string {
  const original = linesOf(text)
  const document = parseDocument(text)
  const style = styles.find((one) => isAlike(linesOf(document.toString(one)), original))
  const before = linesOf(document.toString(style ?? styles[0]))
  change(document)
  const changed = document.toString(style ?? styles[0])
  if (style === undefined) return changed
  const spliced = splice(original, before, linesOf(changed))
  return isDeepStrictEqual(parseDocument(spliced).toJS(), document.toJS()) ? spliced : changed
}

/** The lines that hold something, each with the blank lines before it; `rest` is what follows the last one. */
interface Lines {
  lines: string[]
  rest: string
}

function linesOf(text: string): Lines {
  const lines = text.match(/(?:[ \t]*\n)*[^\n]*\S[^\n]*(?:\n|$)/g) ?? []
  return { lines, rest: text.slice(lines.join('').length) }
}

/** Whether the lines are the same, apart from blank lines and from the blanks within a line. */
const isAlike = (a: Lines, b: Lines): boolean =>
  a.lines.length === b.lines.length &&
  a.lines.every((line, index) => collapse(line) === collapse(b.lines[index] ?? ''))

/** The indentation stays. */
const collapse = (line: string): string =>
  line
    .replace(/^\n+/, '')
    .trimEnd()
    .replace(/(\S)\s+/g, '$1 ')

/** Puts what differs between `before` and `after` into the original, whose lines are those of `before`. */
function splice(original: Lines, before: Lines, after: Lines): string {
  const length = Math.min(before.lines.length, after.lines.length)
  let start = 0
  while (start < length && before.lines[start] === after.lines[start]) start++
  let end = 0
  while (end < length - start && before.lines.at(-1 - end) === after.lines.at(-1 - end)) end++
  const kept = original.lines.slice(0, start)
  const added = after.lines.slice(start, after.lines.length - end)
  const following = original.lines.slice(original.lines.length - end)
  return [...kept, ...added, ...following].join('') + original.rest
}
