/** Makes inputs that no well-behaved program would write: samples that are cut, repeated and mixed, and JSON with values of other kinds. */

/** Characters and pieces that have broken a parser somewhere. */
const nasty = [
  ...[
    '',
    '\0',
    '\u001b[2J',
    '\u001b]',
    '\u009d',
    '\u202e',
    '\u200b',
    '\ud800',
    '\udfff',
    '\ufeff',
    '\u2028',
    '😀',
    '👩‍👩‍👧',
    '漢',
    '\r',
    '\n\n\n',
  ],
  ...[
    '"',
    '\\',
    '{',
    '[',
    ']',
    '}',
    ',',
    ':',
    '- ',
    '&a *a',
    '<<: *a',
    '!!js/function ""',
    '---\n',
    '...',
    '%',
    '#',
    '`',
    '$(x)',
    '../',
    '/',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'null',
    'NaN',
    '1e999',
    '-0',
    '9'.repeat(400),
    '0x1',
    '2026-02-30T25:61:61Z',
    '~/',
    '❯ 1. ',
    '─'.repeat(20),
  ],
]

const values: unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    2 ** 53,
    -(2 ** 53),
    1e308,
    '',
    'x',
    '\0',
    '9'.repeat(400),
    'x'.repeat(5_000),
    [],
    {},
    [[[[]]]],
  ],
  ...[
    { __proto__: null, length: -1 },
    { toString: 1 },
    { then: 'x' },
    [null],
    [{}],
    '2026-11-30T00:00:00.000Z',
    '../../etc',
    '\u001b[2J',
    '\ud800',
  ],
]

/** Characters. */
const mostRepeated = 2_000

/** The same inputs for the same seed. */
export class Fuzz {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 <= number < bound. */
  int(bound: number): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)]!
  }

  /** One of the samples after up to six changes, or nothing but nasty pieces. */
  text(samples: readonly string[]): string {
    let text = this.int(8) === 0 ? '' : this.pick(samples)
    for (let changes = this.int(7); changes > 0; changes--) text = this.#changed(text, samples)
    return text
  }

  #changed(text: string, samples: readonly string[]): string {
    const [from, length] = [this.int(text.length + 1), this.int(40)]
    const [before, after] = [text.slice(0, from), text.slice(from + length)]
    switch (this.int(7)) {
      case 0:
        return before
      case 1:
        return before + after
      case 2:
        return before + this.pick(nasty) + after
      case 3:
        return before + String.fromCharCode(this.int(0x1_0000)) + after
      case 4:
        return before + text.slice(from, from + length).repeat(1 + this.int(50)) + after
      case 5: {
        const other = this.pick(samples)
        return before + other.slice(this.int(other.length + 1)).slice(0, 500)
      }
      default:
        return (
          before +
          this.pick(nasty)
            .repeat(1 + this.int(100))
            .slice(0, mostRepeated) +
          after
        )
    }
  }

  /** The text of one of the samples with up to four values, keys or lists in it exchanged; one in four is changed as a text, too. */
  json(samples: readonly unknown[]): string {
    let value = structuredClone(this.pick(samples))
    for (let changes = this.int(5); changes > 0; changes--) value = this.#changedValue(value)
    const text = JSON.stringify(value)
    return this.int(4) === 0 ? this.text([text]) : text
  }

  #changedValue(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || this.int(6) === 0) return this.pick(values)
    if (Array.isArray(value)) {
      if (value.length === 0 || this.int(5) === 0) return this.#list(value[0])
      const at = this.int(value.length)
      return value.map((item: unknown, index) => (index === at ? this.#changedValue(item) : item))
    }
    const entries = Object.entries(value)
    if (entries.length === 0 || this.int(6) === 0)
      return Object.fromEntries([...entries, [this.pick([...nasty, 'key']), this.pick(values)]])
    const at = this.int(entries.length)
    if (this.int(6) === 0) return Object.fromEntries(entries.filter((_, index) => index !== at))
    return Object.fromEntries(
      entries.map(([key, item], index) => [key, index === at ? this.#changedValue(item) : item]),
    )
  }

  /** Of one item, unless that is a list itself: lists of lists of lists would be too long for any text. */
  #list(item: unknown): unknown[] {
    const length = this.int(200)
    const isSmall = JSON.stringify([item]).length < 500
    return Array.from({ length }, () => (isSmall ? item : null))
  }
}
