/**
 * What substrates cost, counted from real files: entries as the agent program writes them, a ledger that
 * outlives the worker.
 */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'
import { Host } from '../../host/host.js'
import { openHome } from '../../config/state/home.js'
import { parseConfig } from '../../config/load/load.js'
import { spentBudgetWall } from '../../policy/account/spend.js'

/** Per million tokens, so that a million of one kind costs this many dollars. */
const config = (dir: string): string => `
pool: { accounts: [{ name: max-1, configDir: ${dir} }] }
substrates:
  - { name: key, model: claude-haiku-4-5, budget: { usd: 100, per: 1h } }
  - { name: free, model: claude-haiku-4-5 }
prices:
  claude-haiku: { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 }
  claude-sonnet: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 }
`
const million = 1_000_000
const at = (time: string): string => `2026-11-22T${time}:00.000Z`

interface Used {
  input_tokens?: number
  output_tokens?: number
  cache_read_input_tokens?: number
  cache_creation_input_tokens?: number
}

/** An entry as version 2.1.330 writes it: one for each block of an answer, all with the id of the message. */
const row = (id: string, time: string, usage: Used, more: object = {}): object => ({
  ...{
    type: 'assistant',
    isSidechain: false,
    timestamp: at(time),
    requestId: 'req_0',
    uuid: `${id}-${time}`,
  },
  message: {
    ...{ id, type: 'message', role: 'assistant', model: 'claude-haiku-4-5-20251001', stop_reason: null },
    content: [{ type: 'text', text: 'Half of it.' }],
    usage: {
      ...{ input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
      ...{
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        service_tier: 'standard',
      },
      ...usage,
    },
    ...more,
  },
})
/** One answer that costs this many dollars. */
const answer = (id: string, time: string, usd: number, more: object = {}): object =>
  row(id, time, { input_tokens: usd * million }, more)
const lines = (...rows: object[]): string => rows.map((one) => `${JSON.stringify(one)}\n`).join('')

let dir: string
let transcript: string
let host: Host

/** Like a worker that has just started: it knows only what is on the disk. */
const startWorker = (): Host =>
  new Host(
    openHome({ OUTPOOL_HOME: join(dir, 'state') }),
    parseConfig(config(dir), join(dir, 'outpool.yaml'), {}),
  )

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(at('12:30')) })
  dir = mkdtempSync(join(tmpdir(), 'outpool-spending-'))
  transcript = join(dir, 'conversation.jsonl')
  host = startWorker()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  rmSync(dir, { recursive: true, force: true })
})

const write = (...rows: object[]): void => appendFileSync(transcript, lines(...rows))
const count = (since: string | null = null, file = transcript, substrate = 'key'): Promise<void> =>
  host.spending.count(substrate, claudeCode, file, since)
const budgetOf = (substrate = 'key') =>
  host.quota.read(substrate).windows.find(({ name }) => name === 'budget')
/** US dollars, of the budget of a hundred. */
const spent = (): number => Number(((budgetOf()?.used ?? 0) * 100).toFixed(6))

describe('what an answer costs', () => {
  it('is the sum of its kinds of tokens at their prices, cache included', async () => {
    write(
      row('m1', '12:10', {
        ...{ input_tokens: 2 * million, output_tokens: million },
        ...{ cache_read_input_tokens: 10 * million, cache_creation_input_tokens: 4 * million },
      }),
    )
    await count()
    expect(spent()).toBe(2 + 5 + 1 + 5)
    expect(budgetOf()).toMatchObject({ resetsAt: at('13:00'), readAt: at('12:30'), source: 'transcript' })
  })

  it('is counted once, though each block has an entry, with the tokens of the last', async () => {
    write(row('m1', '12:10', { input_tokens: million, output_tokens: million }))
    await count()
    expect(spent()).toBe(6)
    write(row('m1', '12:10', { input_tokens: million, output_tokens: 3 * million }), answer('m2', '12:11', 1))
    await count()
    expect(spent()).toBe(1 + 15 + 1)
  })

  it('is the highest price for a model without one', async () => {
    write(answer('m1', '12:10', 2, { model: 'claude-mythos-9' }))
    await count()
    expect(spent()).toBe(6)
  })

  it("is nothing for the program's own entries, and malformed entries do no harm", async () => {
    const failure = { ...answer('f1', '12:10', 50, { model: '<synthetic>' }), isApiErrorMessage: true }
    write(failure, { type: 'user', timestamp: at('12:10'), message: { role: 'user', content: 'go on' } })
    write({ type: 'assistant', timestamp: 'no time', message: { id: 'x', model: 'm', usage: {} } })
    appendFileSync(transcript, 'not json\n[]\nnull\n')
    write(answer('m1', '12:11', 1))
    await count()
    expect(spent()).toBe(1)
  })
})

describe('which entries are counted', () => {
  it('those of subagents too: in separate files, or between the entries of the conversation', async () => {
    const side = { isSidechain: true }
    write(answer('main', '12:10', 2), { ...answer('side', '12:10', 3), ...side })
    await count()
    write(answer('main', '12:11', 2), { ...answer('side', '12:11', 4), ...side })
    const subagent = join(dir, 'conversation', 'subagents', 'agent-1.jsonl')
    mkdirSync(dirname(subagent), { recursive: true })
    writeFileSync(subagent, lines({ ...answer('sub', '12:11', 5), ...side }))
    await count()
    expect(spent()).toBe(2 + 4 + 5)
  })

  it('not those with which a fork begins: another conversation has paid for them', async () => {
    write(answer('copy', '12:05', 40), answer('own', '12:15', 1))
    await count(at('12:10'))
    expect(spent()).toBe(1)
  })

  it('an incomplete line waits for its end', async () => {
    const whole = lines(answer('m1', '12:10', 7))
    write(answer('m0', '12:10', 1))
    appendFileSync(transcript, whole.slice(0, -20))
    await count()
    expect(spent()).toBe(1)
    appendFileSync(transcript, whole.slice(-20))
    await count()
    expect(spent()).toBe(8)
  })

  it('all sessions of a substrate share its budget, even if they are counted at the same time', async () => {
    const files = Array.from({ length: 20 }, (_, n) => join(dir, `conversation-${n}.jsonl`))
    for (const [n, file] of files.entries()) writeFileSync(file, lines(answer(`m${n}`, '12:10', 1)))
    await Promise.all(files.map((file) => count(null, file)))
    expect(spent()).toBe(20)
  })

  it('nothing if no budget is set, and a session without a transcript has cost nothing', async () => {
    write(answer('m1', '12:10', 7))
    await count(null, transcript, 'free')
    expect(budgetOf('free')).toBeUndefined()
    await count(null, join(dir, 'not there.jsonl'))
    expect(spent()).toBe(0)
  })
})

describe('the budget', () => {
  it('is spent for its period, and full again with the next, in which only new entries count', async () => {
    write(answer('m1', '11:50', 30), answer('m2', '12:10', 100))
    await count()
    expect(spentBudgetWall(host.quota.read('key').windows, at('12:59'))).toMatchObject({
      resetsAt: at('13:00'),
    })
    expect(spentBudgetWall(host.quota.read('key').windows, at('13:00'))).toBeNull()
    vi.setSystemTime(Date.parse(at('13:05')))
    write(answer('m3', '12:59', 50), answer('m4', '13:01', 4))
    await count()
    expect(spent()).toBe(4)
    expect(budgetOf()?.resetsAt).toBe(at('14:00'))
  })

  it('law 7: a new worker goes on where the one before stopped counting, also in the middle of an answer', async () => {
    write(answer('m1', '12:10', 2), answer('m2', '12:11', 3))
    await count()
    host = startWorker()
    expect(spent()).toBe(5)
    write(answer('m2', '12:12', 4), answer('m3', '12:12', 1))
    await count()
    expect(spent()).toBe(2 + 4 + 1)
  })

  it('law 7: a ledger that cannot be read is rebuilt from the transcripts', async () => {
    write(answer('m1', '12:10', 2))
    await count()
    writeFileSync(join(host.home.quota, 'key.spent.json'), '{"period":')
    host = startWorker()
    write(answer('m2', '12:12', 4))
    await count()
    expect(spent()).toBe(6)
  })

  it('a conversation that continues among thousands of files is counted once', async () => {
    write(answer('m1', '12:10', 2))
    await count()
    const subagents = join(dir, 'conversation', 'subagents')
    mkdirSync(subagents, { recursive: true })
    for (let n = 0; n < 1_000; n += 1) writeFileSync(join(subagents, `agent-${n}.jsonl`), '')
    await count()
    write(answer('m2', '12:12', 4))
    await count()
    expect(spent()).toBe(6)
  })

  it('law 10: what could not be counted is counted later, and does not end a watch', async () => {
    const complaints = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    write(answer('m1', '12:10', 2))
    // A folder in the ledger's place: the name can't be used, not even by root.
    const ledger = join(host.home.quota, 'key.spent.json')
    mkdirSync(ledger)
    await count()
    expect(complaints.mock.calls.flat().join(' ')).toContain('the cost of key could not be counted')
    rmSync(ledger, { recursive: true })
    write(answer('m2', '12:12', 4))
    await count()
    expect(spent()).toBe(6)
  })

  it('law 11: the ledger is readable only for its user, and holds nothing of what was said', async () => {
    write(answer('m1', '12:10', 2))
    await count()
    const ledger = join(host.home.quota, 'key.spent.json')
    expect(statSync(ledger).mode & 0o077).toBe(0)
    expect(readFileSync(ledger, 'utf8')).not.toContain('Half of it.')
  })
})
