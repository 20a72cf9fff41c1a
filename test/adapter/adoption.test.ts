/** What the adapter reads off processes, transcripts and screens that a person's agent left. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ConversationFacts } from '../../agents/adapter/adopter.js'
import { claudeCodeAdopter as adopter } from '../../agents/claude-code/adoption/index.js'

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'adapter-adoption-')))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const facts: ConversationFacts = { cwd: null, model: null, permissionMode: null, hasChangedModel: false }

describe('law 5: what an agent was started with', () => {
  it.each<[string, Partial<ConversationFacts>, { args: string[]; model: string | null; unknown: string[] }]>([
    ['claude', {}, { args: [], model: null, unknown: [] }],
    ['claude fix_it', {}, { args: [], model: null, unknown: [] }],
    ['claude --resume 1b2c -- fix_it', {}, { args: [], model: null, unknown: [] }],
    ['claude -c --model opus fix_it', {}, { args: [], model: 'opus', unknown: [] }],
    ['claude --model=opus', { hasChangedModel: true }, { args: [], model: null, unknown: [] }],
    ['node /x/claude-code/cli.js --verbose', {}, { args: ['--verbose'], model: null, unknown: [] }],
    [
      'claude --allowedTools Bash Edit --add-dir /a /b -- go',
      {},
      { args: ['--allowedTools', 'Bash', 'Edit', '--add-dir', '/a', '/b'], model: null, unknown: [] },
    ],
    [
      'claude -w tree --settings {"a":1} --effort high go',
      {},
      { args: ['--settings', '{"a":1}', '--effort', 'high'], model: null, unknown: [] },
    ],
    ['claude --brand-new x', {}, { args: [], model: null, unknown: ['--brand-new'] }],
    ['claude --permission-mode plan', {}, { args: ['--permission-mode', 'plan'], model: null, unknown: [] }],
    ['claude --permission-mode plan', { permissionMode: 'auto' }, { args: [], model: null, unknown: [] }],
    ['claude', { permissionMode: 'plan' }, { args: ['--permission-mode', 'plan'], model: null, unknown: [] }],
    [
      'claude --dangerously-skip-permissions',
      { permissionMode: 'bypassPermissions' },
      {
        args: ['--permission-mode', 'bypassPermissions', '--allow-dangerously-skip-permissions'],
        model: null,
        unknown: [],
      },
    ],
    [
      'claude --dangerously-skip-permissions',
      { permissionMode: 'plan' },
      {
        args: ['--permission-mode', 'plan', '--allow-dangerously-skip-permissions'],
        model: null,
        unknown: [],
      },
    ],
  ])('%s, %j', (line, known, start) => {
    expect(adopter.carryStart(line.split(' '), { ...facts, ...known })).toEqual(start)
  })

  it('law 11: what may hold a secret or a prompt is in no printed command line', () => {
    const args = ['--verbose', '--mcp-config', '{"token":1}', '--settings={"key":2}', '--effort', 'high']
    expect(adopter.publicArguments(args)).toEqual(['--verbose', '--effort', 'high'])
  })

  it('names variables that a launch would not set, and never a value', () => {
    const env = {
      ...{ ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: 'u', CLAUDE_CONFIG_DIR: '/c', PATH: '/bin' },
      CLAUDE_CODE_USE_BEDROCK: '1',
    }
    const given = { ANTHROPIC_BASE_URL: 'u', CLAUDE_CODE_USE_BEDROCK: null }
    expect(adopter.lostVariables(env, given)).toEqual(['ANTHROPIC_API_KEY'])
    expect(adopter.lostVariables({ ANTHROPIC_BASE_URL: 'other' }, given)).toEqual(['ANTHROPIC_BASE_URL'])
  })
})

const entry = (at: string, more: object): string => JSON.stringify({ timestamp: at, cwd: '/w', ...more })

describe('what a transcript says of its conversation', () => {
  const transcript = join(dir, 'one.jsonl')
  const lines = [
    entry('2026-01-01T00:00:00.000Z', { type: 'user', permissionMode: 'plan', message: { content: 'hi' } }),
    entry('2026-01-01T00:00:01.000Z', { type: 'assistant', message: { model: 'opus', content: [] } }),
    entry('2026-01-02T00:00:00.000Z', { type: 'user', permissionMode: 'auto', cwd: '/w/tree', message: {} }),
    entry('2026-01-02T00:00:01.000Z', { type: 'assistant', isSidechain: true, message: { model: 'haiku' } }),
    'not json',
  ]
  writeFileSync(transcript, `${lines.join('\n')}\n`)

  it('folder, model and mode are those of the newest entry of the main thread', async () => {
    expect(await adopter.readFacts(transcript)).toEqual({
      ...{ cwd: '/w/tree', model: 'opus', permissionMode: 'auto', hasChangedModel: false },
    })
  })

  it('the entries of a process begin with the first one after its start', async () => {
    const first = Buffer.byteLength(`${lines.slice(0, 2).join('\n')}\n`)
    expect(await adopter.offsetSince(transcript, '2026-01-01T12:00:00.000Z')).toBe(first)
    expect(await adopter.offsetSince(transcript, '2025-01-01T00:00:00.000Z')).toBe(0)
    const whole = Buffer.byteLength(`${lines.join('\n')}\n`)
    expect(await adopter.offsetSince(transcript, '2027-01-01T00:00:00.000Z')).toBe(whole)
  })
})

describe('law 5: a draft that is read off the screen', () => {
  const rule = '─'.repeat(60)
  const screen = (...rows: string[]): string =>
    [...Array.from({ length: 20 }, () => ''), rule, ...rows, rule, '  hints'].join('\n')

  it.each<[string[], unknown]>([
    [['❯ '], null],
    [['❯ a short draft'], { text: 'a short draft', mode: 'words' }],
    [['❯ first', '  second'], { text: 'first\nsecond', mode: 'words' }],
    [
      ['❯ a draft that is so long that the program has to wrap it', '  onto the next row'],
      { text: 'a draft that is so long that the program has to wrap it onto the next row', mode: 'words' },
    ],
    [['! ls'], { text: 'ls', mode: 'shell' }],
    [['❯ see [Pasted text #1 +11 lines]'], 'cut'],
    [['❯ row 1', ...Array.from({ length: 20 }, (_, n) => `  row ${n}`)], 'cut'],
  ])('%j', (rows, draft) => {
    expect(adopter.readShownDraft(screen(...rows), 60)).toEqual(draft)
  })
})

describe('which processes run the program', () => {
  const home = join(dir, 'home')
  mkdirSync(join(home, '.claude', 'sessions'), { recursive: true })

  it('one with a state file in the config dir of its environment', async () => {
    const pid = process.pid
    const state = { pid, sessionId: 'a1', kind: 'interactive', status: 'idle', startedAt: 1_700_000_000_000 }
    writeFileSync(join(home, '.claude', 'sessions', `${pid}.json`), JSON.stringify(state))
    const found = await adopter.identify({ pid, argv: ['/opt/agent'], env: { HOME: home } })
    expect(found).toMatchObject({
      ...{ configDir: join(home, '.claude'), isInteractive: true, isStartedByAgent: false },
      live: { pid, sessionId: 'a1', activity: 'idle' },
    })
    const elsewhere = { HOME: home, CLAUDE_CONFIG_DIR: join(dir, 'other') }
    expect(await adopter.identify({ pid, argv: ['/opt/agent'], env: elsewhere })).toBeNull()
  })

  it('one without a state file only by its name', async () => {
    const env = { HOME: join(dir, 'empty'), CLAUDE_CODE_CHILD_SESSION: '1' }
    expect(await adopter.identify({ pid: 1, argv: ['/usr/bin/claude'], env })).toMatchObject({
      ...{ live: null, isStartedByAgent: true },
    })
    const print = { pid: 1, argv: ['claude', '-p', 'hi'], env: { HOME: join(dir, 'empty') } }
    expect(await adopter.identify(print)).toMatchObject({ isInteractive: false })
    expect(await adopter.identify({ pid: 1, argv: ['vim'], env })).toBeNull()
  })
})
