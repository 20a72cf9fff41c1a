/** Background work of an agent, from what the real program (2.1.330) reported and wrote. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'

const fixture = (name: string): string =>
  fileURLToPath(new URL(`fixtures/${name}-2.1.330.jsonl`, import.meta.url))
const stops = JSON.parse(
  readFileSync(new URL('fixtures/stop-2.1.330.json', import.meta.url), 'utf8'),
) as Record<string, unknown>
const at = '2026-11-29T17:13:45.000Z'
const report = (name: string) => claudeCode.parseReport('garden.7.Stop.last', JSON.stringify(stops[name]), at)

const dir = mkdtempSync(join(tmpdir(), 'background-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('the report of a turn that ended', () => {
  it('names the tasks that keep running, without their commands', () => {
    expect(report('shell')).toMatchObject({
      kind: 'turn-ended',
      tasks: [{ kind: 'shell', what: 'Run the long test suite' }],
      plans: [],
    })
    expect(JSON.stringify(report('shell'))).not.toContain('private-token')
    expect(report('subagent')).toMatchObject({ tasks: [{ kind: 'subagent', what: 'Search the docs' }] })
  })

  it('names the wake-ups that the agent planned, and when they are due', () => {
    expect(report('plans')).toMatchObject({
      tasks: [],
      plans: [
        { dueAt: '2026-11-29T17:15:00.000Z', recurring: false, prompt: 'look at the build again' },
        { dueAt: '2026-11-29T17:14:00.000Z', recurring: true, prompt: 'check the mail' },
        { id: '36ed14b5', dueAt: '2026-11-29T18:30:00.000Z', recurring: false, prompt: 'one shot prompt' },
      ],
    })
  })

  it('law 15: entries that are no list, no id or no schedule are skipped, and the rest counts', () => {
    const odd = {
      background_tasks: [
        7,
        { id: '../x', type: 'shell' },
        { id: 'b1', type: 'monitor', status: 'running' },
        { id: 'b2', type: 'shell', status: 'completed' },
      ],
      session_crons: [{ id: 'c1', schedule: 'now and then', prompt: 'x' }, 'y'],
    }
    expect(claudeCode.parseReport('garden.7.Stop.last', JSON.stringify(odd), at)).toMatchObject({
      tasks: [{ id: 'b1', kind: 'other', what: 'monitor' }],
      plans: [{ id: 'c1', dueAt: null }],
    })
    for (const body of ['', '{', '{"background_tasks":"none","session_crons":7}'])
      expect(claudeCode.parseReport('garden.7.Stop.last', body, at)).toMatchObject({ kind: 'turn-ended' })
  })
})

describe('what a process left behind', () => {
  it('law 6: a shell and a subagent that ran when it ended, also if no turn ended after they were begun', async () => {
    const shell = await claudeCode.readUnfinishedWork(fixture('left-shell'), 0)
    // The program itself told the next process; here its own entries are what counts.
    const cut = join(dir, 'cut.jsonl')
    const rows = readFileSync(fixture('left-shell'), 'utf8').split('\n')
    writeFileSync(cut, rows.filter((row) => !/session ended/.test(row)).join('\n') + '\n')
    expect((await claudeCode.readUnfinishedWork(cut, 0)).tasks).toMatchObject([
      { kind: 'shell', what: 'Run the long test suite' },
    ])
    expect(shell.over).toHaveLength(1)
    expect((await claudeCode.readUnfinishedWork(fixture('ended-subagent'), 0)).tasks).toEqual([])
  })

  it('wake-ups that it had planned, with their times and ids', async () => {
    const { plans } = await claudeCode.readUnfinishedWork(fixture('plans-made'), 0)
    expect(plans).toMatchObject([
      { dueAt: '2026-11-29T17:15:00.000Z', prompt: 'look at the build again' },
      { id: '36ed14b5', prompt: 'one shot prompt' },
    ])
  })
})

describe('a planned wake-up is over', () => {
  const wakeUp = { id: 'x', prompt: 'look at the build again' }
  const before = '2026-11-29T17:00:00Z'

  it('once the program itself sent it, or restored it and sent it', async () => {
    // Planned at the end of the first turn, sent two minutes later.
    expect(await claudeCode.isPlanOver(fixture('wakeup-said'), wakeUp, '2026-11-29T17:16:18.855Z')).toBe(true)
    expect(await claudeCode.isPlanOver(fixture('wakeup-said'), wakeUp, '2026-11-29T17:19:00Z')).toBe(false)
    const shot = (prompt: string) =>
      claudeCode.isPlanOver(fixture('cron-restored'), { id: 'x', prompt }, before)
    expect(await shot('later shot prompt')).toBe(true)
    expect(await shot('one shot prompt')).toBe(false)
  })

  it('once the agent planned something else', async () => {
    expect(await claudeCode.isPlanOver(fixture('plans-made'), wakeUp, before)).toBe(true)
    expect(await claudeCode.isPlanOver(fixture('plans-made'), wakeUp, at)).toBe(false)
  })
})

it('what a subagent has planned is included, and a fork has none', async () => {
  const [from, to, fork] = ['a/s.jsonl', 'b/s.jsonl', 'b/f.jsonl'].map((name) => join(dir, name))
  mkdirSync(join(dir, 'a/s/subagents'), { recursive: true })
  writeFileSync(join(dir, 'a/s/subagents/agent-a1.jsonl'), '{}\n')
  writeFileSync(join(dir, 'a/s/subagents/agent-a1.meta.json'), '{}')
  expect(await claudeCode.copySubagents(from!, to!, ['a1', 'a2'])).toEqual(['a1'])
  expect(readFileSync(join(dir, 'b/s/subagents/agent-a1.meta.json'), 'utf8')).toBe('{}')
  expect(await claudeCode.copySubagents(from!, fork!, ['a1'])).toEqual([])
})
