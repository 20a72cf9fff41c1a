/**
 * The secrets that this process has resolved, so that they can be removed from what programs print: an agent that fails may print its
 * key, and its last words go into errors, histories and reports.
 */

/** Shorter values are words of everyday language or numbers, whose removal would make texts unreadable. Characters. */
const minLength = 6
/** What a secret is replaced with. */
const mark = '[secret]'
/** Values that are kept, the newest: secrets change while a worker runs. */
const maxKnown = 1_000

const known = new Map<string, RegExp>()

/** Adds the value, and each line of a value with several. */
export function rememberSecret(value: string): void {
  const lines = value.split(/\r?\n/)
  for (const one of new Set([value.trim(), ...lines.map((line) => line.trim())])) {
    if (one.replaceAll(/[\s│┃|]/g, '').length < minLength || known.has(one)) continue
    known.set(one, patternOf(one))
    const [oldest] = known.keys()
    if (known.size > maxKnown && oldest !== undefined) known.delete(oldest)
  }
}

/** May be between two characters of a secret, because a terminal or a frame has wrapped it. */
const wrap = String.raw`[\s│┃|]*`

/** Characters of `wrap` in the secret itself are left out, which also keeps the search linear. */
const patternOf = (secret: string): RegExp =>
  new RegExp(
    Array.from(secret.replaceAll(/[\s│┃|]/g, ''))
      .map((char) => char.replace(/[\\^$.*+?()[\]{}/-]/, String.raw`\$&`))
      .join(wrap),
    'g',
  )

/** How many characters of context a text needs before a cut, so that no part of a secret remains at the cut. */
export const longestSecret = (): number => Math.max(0, ...[...known.keys()].map(({ length }) => length))

/** The text without every known secret, also where it is wrapped. */
export function withoutSecrets(text: string): string {
  let clean = text
  // The longest first: one secret may be a part of another.
  const all = [...known].sort(([a], [b]) => b.length - a.length)
  for (const [, pattern] of all) clean = clean.replaceAll(pattern, mark)
  return clean
}
