/** Texts for `outpool send`, of any size and encoding, are sent whole or refused with advice. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readTextFromFile } from '../../client/orders/sentText.js'

const dir = mkdtempSync(join(tmpdir(), 'sent-text-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let n = 0
function read(content: Buffer | string): Promise<string> {
  const file = join(dir, `${++n}`)
  writeFileSync(file, content)
  return readTextFromFile(file)
}

const utf16 = (text: string, bigEndian = false): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return bigEndian ? bytes.swap16() : bytes
}

describe('the text of a file', () => {
  it('is the same in UTF-8 and UTF-16, with or without a byte order mark', async () => {
    const text = 'Prüfe die Übersetzung\n请检查 👩‍👩‍👧\n'
    const all = [text, `\ufeff${text}`, utf16(text), utf16(text, true)]
    expect(await Promise.all(all.map(read))).toEqual(all.map(() => text))
  })

  it.each([
    ['another encoding', Buffer.from('Grüße', 'latin1'), /neither UTF-8 nor UTF-16.*nothing of it was sent/],
    ['a program', Buffer.from('\x7fELF\0\0\0'), /neither UTF-8 nor UTF-16/],
    ['too much', 'x'.repeat(512 * 1024 + 1), /longer than 512 KiB, and nothing of it was sent/],
    ['far too much', Buffer.alloc(8 * 1024 * 1024, 'x'), /longer than 512 KiB/],
    ['nothing', '', /no text to send/],
    ['nothing that can be seen', '\u200b\ufeff \n\u0007', /no text to send/],
  ])('law 15: %s is refused whole', async (_, content, advice) => {
    await expect(read(content)).rejects.toThrow(advice)
  })

  it('the longest allowed text is not cut', async () => {
    expect(await read('x'.repeat(512 * 1024))).toHaveLength(512 * 1024)
  })

  it('errors name a missing file, or a folder given as the file', async () => {
    await expect(readTextFromFile(join(dir, 'none'))).rejects.toThrow(/none can't be read/)
    await expect(readTextFromFile(dir)).rejects.toThrow(/can't be read/)
  })
})
