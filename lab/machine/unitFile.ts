/** Reads a unit and its drop-ins as systemd does, as far as our unit needs it. */

export interface Unit {
  /** The last setting of the section's key counts. */
  one(key: string): string
  /** All of them, for a key that may appear several times. */
  all(key: string): string[]
}

/** Of the section `[Service]`, in the order of the texts. */
export function parseServiceUnit(...texts: string[]): Unit {
  const found = new Map<string, string[]>()
  for (const text of texts) {
    let section = ''
    for (const line of text.split('\n').map((one) => one.trim())) {
      section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section
      const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? []
      if (section !== 'Service' || key === undefined || value === undefined) continue
      found.set(key, [...(found.get(key) ?? []), value])
    }
  }
  const all = (key: string): string[] => found.get(key) ?? []
  return { all, one: (key) => all(key).at(-1) ?? '' }
}

/** The words of a command line or of a list of variables, without their quotes. */
export const splitWords = (value: string): string[] =>
  [...value.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, bare]) =>
    expandSpecifiers(quoted === undefined ? (bare ?? '') : unescaped(quoted)),
  )

const unescaped = (quoted: string): string =>
  quoted.replaceAll(/\\(.)/g, (_all, letter: string) => (letter === 'n' ? '\n' : letter))

export const expandSpecifiers = (text: string): string => text.replaceAll('%%', '%').replaceAll('$$', '$')

const units: Record<string, number> = { '': 1_000, s: 1_000, min: 60_000, h: 3_600_000 }

export function parseTimeSpan(span: string): number {
  const [, count, unit = ''] = /^(\d+)(\w*)$/.exec(span) ?? []
  const ms = Number(count) * (units[unit] ?? NaN)
  if (Number.isNaN(ms)) throw new Error(`not a time span: ${span}`)
  return ms
}
