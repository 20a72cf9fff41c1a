/** What is read of a configuration, and the errors in it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { editorSchema } from '../../config/schema/file.js'
import { ConfigError } from '../../config/errors.js'
import { loadConfig } from '../../config/load/load.js'
import { defaultTiming } from '../../policy/account/account.js'
import { configHome, valid } from './configHome.js'

const day = 86_400_000
const { home, env, parse, faultsOf, brief } = configHome()

describe('a valid file', () => {
  it('law 11: names every variable that holds a secret, wherever it is referred to, and what else is passed', () => {
    const { env } = parse(`${valid}
env: { pass: [GH_TOKEN, MY_APP_*] }
substrates: [{ name: key, env: { ANTHROPIC_API_KEY: { fromEnv: SPARE_KEY } } }]
tasks: [{ name: mail, every: 5m, deliverTo: s, imap: { host: h, user: u, password: { fromEnv: MAIL_PASSWORD } } }]
notices: { to: [{ name: chat, slack: { fromEnv: HOOK } }] }
`)
    expect(env).toEqual({
      pass: ['GH_TOKEN', 'MY_APP_*'],
      secrets: new Set(['SPARE_KEY', 'MAIL_PASSWORD', 'HOOK']),
    })
    const wrong = () => parse(`${valid}\nenv: { pass: ['A=B'] }\n`)
    expect(wrong).toThrow(/env.pass\[0\]/)
  })

  it('gets every default', () => {
    expect(parse(valid)).toEqual({
      file: join(home, 'outpool.yaml'),
      digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      byContent: false,
      env: { pass: [], secrets: new Set() },
      pool: {
        name: 'main',
        moveAt: 0.95,
        accounts: [
          {
            ...{ name: 'max-1', configDir: join(home, '.claude-max-1'), ceiling: 1, maxSessions: null },
            ...{ drain: false, env: {} },
          },
        ],
      },
      reserved: [],
      reservedSubstrates: [],
      substrates: [],
      prices: {},
      agents: { 'claude-code': { command: 'claude', args: [], env: {}, rehearse: 'auto' } },
      timing: defaultTiming,
      metrics: null,
      drill: { every: null, timeout: 900_000, agent: 'claude-code', model: null, keep: 20 },
      keep: {
        every: 3_600_000,
        sessions: { maxAge: 30 * day, maxCount: 1_000 },
        forks: { maxAge: 30 * day, maxCount: 500 },
        handOvers: { maxAge: 30 * day, maxCount: 20 },
        incidents: { maxAge: 180 * day, maxCount: 200 },
        unnamed: 90 * day,
        finished: 30 * day,
        log: 5_242_880,
      },
      events: { maxSize: 10_485_760, keepFor: 30 * day },
      notices: {
        settleFor: 30_000,
        retryEvery: 60_000,
        retryMaxInterval: 1_800_000,
        giveUpAfter: 86_400_000,
        dryAhead: 7_200_000,
        to: [],
      },
      tasks: [],
      services: [],
    })
  })

  it.each([
    ['{}', { host: '127.0.0.1', port: 9464 }],
    ["{ listen: '0.0.0.0:9000' }", { host: '0.0.0.0', port: 9000 }],
    ["{ listen: '[::1]:0' }", { host: '::1', port: 0 }],
    ['{ listen: null }', null],
  ])('metrics are served where they say: %s', (written, listen) => {
    expect(parse(`${valid}metrics: ${written}\n`).metrics).toEqual({ listen, hosts: [] })
  })

  it('is returned resolved: absolute paths, durations in ms, shares as fractions, references', () => {
    const config = parse(`
pool:
  name: night
  moveAt: 90%
  accounts:
    - { name: max-1, configDir: ./.claude-max-1, ceiling: 80%, maxSessions: 4, env: { A: literal, B: { fromEnv: X } } }
reserved:
  - { name: medic, configDir: link-to-max-1/../.claude-medic }
substrates:
  - { name: key, model: haiku, env: { K: { fromFile: secrets/key }, L: { fromCommand: [~/bin/pass, show, x] } } }
agents:
  claude-code: { args: [--verbose] }
  codex: { command: ./bin/codex }
timing: { probeEvery: 1h, keysQuiet: 0s }
tasks:
  - { name: inbox, every: 5m, imap: { host: h, user: u, password: { fromFile: .mail } }, deliverTo: docs }
  - { name: garden, every: 3h, agent: claude-code, cwd: ~/work, prompt: { file: garden.md } }
  - { name: sweep, every: 1d, run: [node, sweep.js], timeout: 10m }
services:
  - name: bot
    run: [./bot]
    cwd: elsewhere
    heartbeat: { file: bot.json }
    busyCheck: { files: ["~/logs/**/*.jsonl"] }
    wakeUp: { prompt: look after it }
`)
    expect(config.pool).toMatchObject({ name: 'night', moveAt: 0.9 })
    expect(config.pool.accounts[0]).toEqual({
      ...{ name: 'max-1', configDir: join(home, '.claude-max-1'), ceiling: 0.8, maxSessions: 4 },
      drain: false,
      env: { A: 'literal', B: { fromEnv: 'X' } },
    })
    expect(config.substrates[0]).toEqual({
      ...{ name: 'key', agent: 'claude-code', model: 'haiku' },
      ...{ maxSessions: null, budget: null, cooldown: 300_000, cooldownMax: 3_600_000 },
      env: {
        K: { fromFile: join(home, 'secrets/key') },
        L: { fromCommand: [join(home, 'bin/pass'), 'show', 'x'] },
      },
    })
    expect(config.agents).toEqual({
      'claude-code': { command: 'claude', args: ['--verbose'], env: {}, rehearse: 'auto' },
      codex: { command: join(home, 'bin/codex'), args: [], env: {}, rehearse: 'auto' },
    })
    expect(config.timing).toEqual({ ...defaultTiming, probeEvery: 3_600_000, keysQuiet: 0 })
    expect(config.tasks).toMatchObject([
      {
        kind: 'imap',
        every: 300_000,
        deliverTo: 'docs',
        imap: { port: 993, password: { fromFile: join(home, '.mail') } },
      },
      { kind: 'agent', cwd: join(home, 'work'), prompt: { file: join(home, 'garden.md') } },
      { kind: 'run', cwd: home, timeout: 600_000 },
    ])
    expect(config.services[0]).toMatchObject({
      ...{ run: ['./bot'], cwd: join(home, 'elsewhere'), every: 600_000 },
      heartbeat: { file: join(home, 'bot.json'), staleAfter: 900_000 },
      busyCheck: { files: [join(home, 'logs/**/*.jsonl')], within: 600_000 },
      restarts: { limit: 3, within: 3_600_000 },
      wakeUp: { agent: 'claude-code', cwd: join(home, 'elsewhere'), verify: null },
    })
  })
})

describe('an error names its line, its column and what would be right', () => {
  const account = (rest: string) =>
    `pool:\n  accounts:\n    - { name: max-1, configDir: ~/.claude-max-1, ${rest} }\n`

  it.each<[string, string, string, string]>([
    ['an unknown key', account('celing: 80%'), '3:50', 'did you mean ceiling?'],
    ['an unknown key at the top', `${valid}reservd: []\n`, '4:1', 'did you mean reserved?'],
    [
      'an unknown key in a record',
      `${valid}agents: { claude-code: { comand: x } }\n`,
      '4:26',
      'did you mean command?',
    ],
    ['a share without a sign', account('ceiling: 80'), '3:59', 'write a share such as 80%'],
    ['a share above all', account('ceiling: 180%'), '3:59', 'write a share such as 80%'],
    [
      'a duration without a unit',
      `${valid}timing: { probeEvery: 5 }\n`,
      '4:23',
      'write a duration such as 5s, 10m, 3h or 1d',
    ],
    ['a probe interval of zero', `${valid}timing: { probeEvery: 0s }\n`, '4:23', 'above zero'],
    [
      'a check interval too long for `ls`',
      `${valid}timing: { pollEvery: 1m }\n`,
      '4:22',
      'write at most 10s',
    ],
    ['a bound of zero', `${valid}keep: { forks: { maxCount: 0 } }\n`, '4:28', 'write a number, 1 or more'],
    ['a history too short for the engine', `${valid}keep: { finished: 5h }\n`, '4:19', 'write at least 1d'],
    [
      'an address without a port',
      `${valid}metrics: { listen: 127.0.0.1 }\n`,
      '4:20',
      'an address and a port',
    ],
    ['a port that is none', `${valid}metrics: { listen: 127.0.0.1:99999 }\n`, '4:20', 'a port up to 65535'],
    ['a name with capitals', valid.replace('max-1,', 'Max,'), '3:15', 'use small letters'],
    ['a missing name', valid.replace('name: max-1, ', ''), '3:7', 'give it a name such as max-1'],
    ['no accounts', 'pool:\n  accounts: []\n', '2:13', 'name at least one account'],
    ['no pool', '# nothing\n', '1:1', 'write a section of keys'],
    ['a list in place of a section', 'pool: []\n', '1:7', 'write a section of keys'],
    [
      'a taken name',
      `${valid}reserved:\n  - { name: max-1, configDir: ~/.claude-medic }\n`,
      '5:13',
      'a different name',
    ],
    ['a missing config dir', valid.replace('max-1 }', 'gone }'), '3:33', 'CLAUDE_CONFIG_DIR='],
    ['a config dir that is a file', valid.replace('~/.claude-max-1', 'a-file'), '3:33', 'CLAUDE_CONFIG_DIR='],
    ['a number in env', account('env: { A: 1 }'), '3:60', 'numbers in quotes'],
    ['an unknown reference', account('env: { A: { fromVault: x } }'), '3:60', '{ fromEnv: NAME }'],
    ['a bad variable', account('env: { A-B: x }'), '3:57', 'letters, digits and _'],
    [
      'an unknown agent',
      `${valid}substrates: [{ name: s, agent: codex }]\n`,
      '4:32',
      'known agents: claude-code',
    ],
    ['an agent without a command', `${valid}agents: { codex: {} }\n`, '4:18', 'name the program to run'],
    [
      'a task with nothing to do',
      `${valid}tasks: [{ name: t, every: 1h }]\n`,
      '4:9',
      'exactly one of imap, agent and run',
    ],
    [
      'a task with two things to do',
      `${valid}tasks: [{ name: t, every: 1h, run: [x], imap: {} }]\n`,
      '4:31',
      'exactly one of',
    ],
    ['two keys of one name', `${valid}pool: {}\n`, '4:1', 'write each key once'],
    ['broken YAML', 'pool:\n  accounts: [\n', '3:1', 'correct the YAML here'],
    ['a tab as indentation', 'pool:\n\taccounts: []\n', '2:1', 'correct the YAML here'],
  ])('%s', (_what, text, place, remedy) => {
    const faults = faultsOf(text)
    expect(faults.map(({ line, column }) => `${line}:${column}`)).toContain(place)
    expect(faults.find(({ line, column }) => `${line}:${column}` === place)?.remedy).toContain(remedy)
  })

  it('all errors are reported at once, in the order of the file', () => {
    expect(
      brief(`pool:
  moveat: 95%
  accounts:
    - { name: max-1, configDir: ~/gone, ceiling: 80 }
    - { name: max-1, configDir: ~/.claude-max-2 }
services: 7
`),
    ).toEqual([
      '2:3 pool.moveat is not a known key',
      `4:33 the config dir ${home}/gone of max-1 does not exist or cannot be opened`,
      '4:50 pool.accounts[0].ceiling is 80',
      '5:15 the name max-1 is already in use',
      '6:11 services is 7',
    ])
  })

  it('each notice channel is of one kind, given by references or texts, and no address repeats', () => {
    const to = (channels: string) => `${valid}notices: { to: [${channels}] }\n`
    expect(
      parse(
        to(
          '{ name: me, command: [~/bin/tell, -v] }, { name: phone, ntfy: { fromFile: topic } }, { name: desk, desktop: true }',
        ),
      ).notices.to,
    ).toEqual([
      {
        name: 'me',
        timeout: 15_000,
        kind: 'command',
        run: [join(home, 'bin/tell'), '-v'],
        cwd: home,
        env: {},
      },
      { name: 'phone', timeout: 15_000, kind: 'ntfy', url: { fromFile: join(home, 'topic') }, token: null },
      { name: 'desk', timeout: 15_000, kind: 'desktop' },
    ])
    const [both] = faultsOf(to('{ name: me, desktop: true, slack: { fromEnv: A } }'))
    expect(both).toMatchObject({
      line: 4,
      remedy: 'give a channel exactly one of command, slack, ntfy, desktop',
    })
    const report = JSON.stringify(faultsOf(to('{ name: me, slack: { url: s3cret-value } }')))
    expect(report).toContain('fromEnv')
    expect(report).not.toContain('s3cret-value')
    expect(brief(to('{ name: me, desktop: true }, { name: me, desktop: true }'))).toEqual([
      '4:54 the name me is already in use',
    ])
  })

  it('law 11: a secret that was written in the wrong place is not repeated', () => {
    const report = faultsOf(account('env: { KEY: { value: s3cret-value } }')).map((fault) =>
      JSON.stringify(fault),
    )
    expect(report).toHaveLength(1)
    expect(report.join()).not.toContain('s3cret-value')
  })
})

it('the schema for editors is up to date (npx tsx config/schema/write.ts)', () => {
  const written: unknown = JSON.parse(
    readFileSync(new URL('../../config/schema/outpool.schema.json', import.meta.url), 'utf8'),
  )
  expect(written).toEqual(JSON.parse(JSON.stringify(editorSchema())))
})

describe('a file that is not UTF-8 text', () => {
  const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le')
  it.each([
    ['UTF-16, as PowerShell writes it', utf16(valid)],
    ['big-endian UTF-16', utf16(valid).swap16()],
    ['UTF-16 without a byte order mark', Buffer.from(valid, 'utf16le')],
    ['a program', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0x02, 0x01, 0x1b, 0x5b, 0x32, 0x4a, 0xff, 0x00])],
    ['text in an 8-bit encoding', Buffer.from(`${valid}# caf\u00e9\n`, 'latin1')],
  ])('%s: one error, with none of its bytes', (_, bytes) => {
    const file = join(home, 'other.yaml')
    writeFileSync(file, bytes)
    try {
      loadConfig({ path: file, env })
      expect.unreachable()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      expect(error.issues).toHaveLength(1)
      expect(error.report).toContain('not UTF-8')
      expect(error.report).toMatch(/^[\x20-\x7e\n]+$/)
    }
  })

  it('is read with a UTF-8 byte order mark', () => {
    const file = join(home, 'marked.yaml')
    writeFileSync(file, `\ufeff${valid}`)
    expect(loadConfig({ path: file, env }).pool.accounts).toHaveLength(1)
  })

  it('never passes on control characters that a terminal would obey, even if the parser quotes them', () => {
    expect(brief(`pool:\n  \u001b[2J\u009b1m\u202e: x\n`).join()).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})
