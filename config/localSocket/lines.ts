/** Splits what arrives on a socket into lines, each of which has a greatest length. */

export class BoundedLines {
  readonly #maxBytes: (line: number) => number
  #chunks: Buffer[] = []
  #length = 0
  #count = 0

  /** `maxBytes`: of each line, by its number from 0. */
  constructor(maxBytes: (line: number) => number) {
    this.#maxBytes = maxBytes
  }

  /** The lines that are complete now; null if one is longer than it may be, after which nothing more can be read. */
  add(chunk: Buffer): string[] | null {
    const lines: string[] = []
    let rest = chunk
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      if (!this.#fits(end)) return null
      lines.push(Buffer.concat([...this.#chunks, rest.subarray(0, end)]).toString('utf8'))
      ;[this.#chunks, this.#length] = [[], 0]
      this.#count += 1
      rest = rest.subarray(end + 1)
    }
    if (!this.#fits(rest.length)) return null
    this.#chunks.push(rest)
    this.#length += rest.length
    return lines
  }

  #fits(added: number): boolean {
    return this.#length + added <= this.#maxBytes(this.#count)
  }
}
