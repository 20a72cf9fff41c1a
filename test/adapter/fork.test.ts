/** What is read from a fork's transcript: entries in the program's format, in files made here. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fork-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const at = (second: number): string => new Date(Date.UTC(2026, 10, 24, 12, 0, second)).toISOString()

const user = (uuid: string, text: string, second: number): object => ({
  ...{ type: 'user', uuid, isSidechain: false, timestamp: at(second) },
  message: { role: 'user', content: text },
})
const usage = {
  ...{ input_tokens: 100, output_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 7 },
}
const assistant = (uuid: string, content: object[], second: number, id = `msg-${uuid}`): object => ({
  ...{ type: 'assistant', uuid, isSidechain: false, timestamp: at(second) },
  message: { id, model: 'claude-haiku-4-5-20251001', role: 'assistant', content, usage },
})
const textBlock = (text: string): object[] => [{ type: 'text', text }]
const calls = (name: string, input: object): object[] => [{ type: 'tool_use', id: 't', name, input }]
const wall = (uuid: string, second: number): object => ({
  ...{ type: 'assistant', uuid, isSidechain: false, timestamp: at(second), isApiErrorMessage: true },
  ...{ error: 'rate_limit', apiErrorStatus: 429, apiError: 'usage_limit_reached' },
  quotaLimits: { status: 'rejected', resetsAt: 1795297961, rateLimitType: 'five_hour' },
  message: { model: '<synthetic>', content: textBlock('limit') },
})

function write(name: string, rows: object[]): string {
  const file = join(dir, name)
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return file
}

const original = [
  user('u1', 'Remember heron.', 1),
  assistant('a1', textBlock('I do.'), 2),
  user('u2', 'The long task.', 3),
  wall('w1', 4),
]
const own = [
  user('u3', 'Continue the task.', 10),
  assistant('a3', calls('Write', { file_path: '/work/a.md', content: 'x' }), 11),
  assistant('a4', calls('Read', { file_path: '/work/b.md' }), 12),
  assistant('a5', textBlock('Half of it.'), 13),
  assistant('a6', textBlock('All of it.'), 14),
  user('u4', 'And the rest?', 15),
]

it('law 5: a digest holds what the fork did, including a person’s words, and nothing that it began with', async () => {
  const digest = await claudeCode.readForkDigest(
    write('fork.jsonl', [...original, ...own]),
    write('original.jsonl', original),
  )
  expect(digest).toEqual({
    turns: [
      { asked: 'Continue the task.', answered: 'All of it.' },
      { asked: 'And the rest?', answered: null },
    ],
    files: ['/work/a.md'],
  })
})

it('an unused fork has none; in one without an original everything is new', async () => {
  const file = write('fork.jsonl', original)
  expect(await claudeCode.readForkDigest(file, write('original.jsonl', original))).toBeNull()
  expect((await claudeCode.readForkDigest(file, null))?.turns).toHaveLength(2)
})

it('law 6: a wall in the copied entries is not a wall of the fork', async () => {
  const fork = write('fork.jsonl', [...original, user('u3', 'Continue the task.', 10)])
  expect((await claudeCode.readTail(fork, 0)).last?.kind).toBe('failure')
  const since = await claudeCode.readTail(fork, 0, at(9))
  expect(since).toMatchObject({ last: null, prompts: ['Continue the task.'] })
})

it('counts tokens of the conversation and its subagents, from where the last count ended', async () => {
  const fork = write('fork.jsonl', own)
  mkdirSync(join(dir, 'fork', 'subagents'), { recursive: true })
  const subagent = write('fork/subagents/agent-1.jsonl', [assistant('s1', textBlock('Found.'), 12)])
  const files = await claudeCode.readTokenUsage(fork, {})
  expect(files.map(({ file, used }) => [file, used.length])).toEqual([
    [fork, 4],
    [subagent, 1],
  ])
  expect(files[0]?.used[0]).toEqual({
    ...{ id: 'msg-a3', at: at(11), model: 'claude-haiku-4-5-20251001' },
    ...{ input: 100, output: 10, cacheRead: 5, cacheWrite: 7 },
  })
  const marks = Object.fromEntries(files.map(({ file, mark }) => [file, mark]))
  expect((await claudeCode.readTokenUsage(fork, marks)).flatMap(({ used }) => used)).toEqual([])
})
