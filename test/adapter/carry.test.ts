import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { Place } from '../../agents/adapter/place.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { CarryError } from '../../agents/errors.js'

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'adapter-carry-')))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const id = '11111111-2222-4333-8444-555555555555'
let n = 0
const places = (): { from: Place; to: Place } => {
  n += 1
  const make = (name: string): Place => {
    const configDir = join(dir, `${n}`, name)
    mkdirSync(configDir, { recursive: true })
    return { kind: 'account', name, configDir, env: {} }
  }
  return { from: make('from'), to: make('to') }
}
const put = (place: Place, path: string, text: string | Buffer): string => {
  const file = join(place.configDir, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, { mode: 0o600 })
  return file
}
const main = `projects/-work/${id}.jsonl`
const contentOf = (file: string): string[] =>
  readdirSync(dirname(file))
    .filter((name) => name.includes('.kept-'))
    .map((name) => readFileSync(join(dirname(file), name), 'utf8'))
const carry = ({ from, to }: { from: Place; to: Place }): Promise<{ transcript: string; bytes: number }> =>
  claudeCode.carry({ sessionId: id, from, to })

describe('carrying a conversation', () => {
  it('law 5: copies the transcript and everything that belongs to it, and leaves the source unchanged', async () => {
    const both = places()
    const belongings = [
      main,
      `projects/-work/${id}/subagents/agent-1.jsonl`,
      `projects/-work/${id}/tool-results/big.txt`,
      `file-history/${id}/a@v1`,
      `tasks/${id}/1.json`,
      `image-cache/${id}/1.png`,
    ]
    for (const path of belongings) put(both.from, path, `this is ${path}\n`)
    const others = ['.credentials.json', '.claude.json', 'projects/-work/other.jsonl', 'history.jsonl']
    for (const path of others) put(both.from, path, 'not yours\n')
    const target = join(both.to.configDir, main)
    expect(await carry(both)).toEqual({ transcript: target, bytes: statSync(target).size })
    for (const place of [both.from, both.to])
      for (const path of belongings)
        expect(readFileSync(join(place.configDir, path), 'utf8')).toBe(`this is ${path}\n`)
    for (const path of others) expect(existsSync(join(both.to.configDir, path))).toBe(false)
    expect(statSync(target).mode & 0o777).toBe(0o600)
    expect(readdirSync(dirname(target)).sort()).toEqual([id, `${id}.jsonl`])
  })

  it('law 5: whatever the target holds, the whole source arrives, and nothing that the source lacks is lost', async () => {
    const lines = fc
      .array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 })
      .map((all) => all.map((one) => `${one}\n`).join(''))
    await fc.assert(
      fc.asyncProperty(lines, fc.option(lines), async (source, before) => {
        const both = places()
        put(both.from, main, source)
        const target = join(both.to.configDir, main)
        if (before !== null) put(both.to, main, before)
        for (let times = 0; times < 2; times++) {
          const { bytes } = await carry(both)
          const now = readFileSync(target, 'utf8')
          expect(bytes).toBe(Buffer.byteLength(now))
          if (before?.startsWith(source) === true) {
            // Everything had arrived before, and the conversation has gone on since.
            expect(now).toBe(before)
            expect(contentOf(target)).toEqual([])
          } else {
            expect(now).toBe(source)
            expect(contentOf(target)).toEqual(before === null || source.startsWith(before) ? [] : [before])
          }
          expect(readFileSync(join(both.from.configDir, main), 'utf8')).toBe(source)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('works back and forth, each time with more entries', async () => {
    const { from, to } = places()
    let text = 'one\n'
    put(from, main, text)
    for (let hop = 0; hop < 4; hop++) {
      const [a, b] = hop % 2 === 0 ? [from, to] : [to, from]
      const { transcript } = await carry({ from: a, to: b })
      expect(readFileSync(transcript, 'utf8')).toBe(text)
      appendFileSync(transcript, `hop ${hop}\n`)
      text += `hop ${hop}\n`
    }
    expect(contentOf(join(from.configDir, main))).toEqual([])
  })

  it('copies nothing between dirs that share their projects', async () => {
    const both = places()
    const shared = put(both.from, main, 'one\n')
    symlinkSync(join(both.from.configDir, 'projects'), join(both.to.configDir, 'projects'))
    const before = statSync(shared)
    expect(await carry(both)).toEqual({ transcript: shared, bytes: 4 })
    expect(statSync(shared)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs })
  })

  it('law 5: a copy in another project folder is put aside, since the program finds neither of two', async () => {
    const both = places()
    put(both.from, main, 'one\ntwo\n')
    const stale = put(both.to, `projects/-other/${id}.jsonl`, 'one\n')
    const diverged = put(both.to, `projects/-third/${id}.jsonl`, 'one\nelse\n')
    await carry(both)
    expect(existsSync(stale)).toBe(false)
    expect(contentOf(stale)).toEqual([])
    expect(existsSync(diverged)).toBe(false)
    expect(contentOf(diverged)).toEqual(['one\nelse\n'])
  })

  it('copies a large transcript byte for byte', async () => {
    const both = places()
    const bytes = Buffer.alloc(5 * 1024 * 1024 + 17, 'äöü\n0123')
    put(both.from, main, bytes)
    const { transcript } = await carry(both)
    expect(readFileSync(transcript).equals(bytes)).toBe(true)
  })
})

describe('what cannot be carried', () => {
  it('a missing conversation is reported', async () => {
    await expect(carry(places())).rejects.toThrow(/from has no transcript of it under/)
  })

  it('law 5: a source that is still being written is not taken for complete', async () => {
    const both = places()
    const source = put(both.from, main, 'x\n'.repeat(4_000_000))
    const writing = setInterval(() => appendFileSync(source, 'y\n'), 1)
    try {
      const carried = carry(both)
      await expect(carried).rejects.toThrow(CarryError)
      await expect(carried).rejects.toThrow(/still being written/)
    } finally {
      clearInterval(writing)
    }
    expect(existsSync(join(both.to.configDir, main))).toBe(false)
    await carry(both)
    expect(readFileSync(join(both.to.configDir, main)).equals(readFileSync(source))).toBe(true)
  })

  it('law 5: if the target cannot be written, the old state is kept and no partial file is left', async () => {
    const both = places()
    put(both.from, main, 'one\ntwo\n')
    const target = put(both.to, main, 'one\n')
    // Root may write anywhere except below a file.
    if (userInfo().uid === 0) put(both.to, 'file-history', 'not a folder')
    else chmodSync(dirname(target), 0o500)
    put(both.from, `file-history/${id}/a@v1`, 'a')
    await expect(carry(both)).rejects.toThrow(CarryError)
    expect(readFileSync(target, 'utf8')).toBe('one\n')
    expect(readdirSync(dirname(target))).toEqual([`${id}.jsonl`])
  })
})
