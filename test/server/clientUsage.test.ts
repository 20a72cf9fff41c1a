/** The command when no engine is needed, or none is running. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type TestHome, newTestHome, outpool, useWarmCommands } from './testHome.js'

const commands = useWarmCommands()
let place: TestHome
beforeEach(() => {
  place = newTestHome(commands)
})
afterEach(() => place.remove())

describe('wrong usage is exit 2, on stderr, with a correction', () => {
  it.each<[string[], string, string]>([
    [['lss'], "unknown command 'lss'", 'did you mean ls?'],
    [['ls', '--josn'], "unknown option '--josn'", 'did you mean --json?'],
    [['show'], "missing required argument 'name'", '--help'],
    [['show', 'a', 'b'], 'too many arguments', '--help'],
    [['start', 'Not A Name'], "cannot be a session's name", 'small letters'],
    [['start', 'a', '--cwd', '/no/such/folder'], 'does not exist', '--cwd'],
    [['start', 'a', '--cwd', '.config/outpool/outpool.yaml'], 'is not a folder', '--cwd'],
    [['start', 'a', '--account', 'max-3'], 'there is no account max-3', 'accounts of the pool: max-1, max-2'],
    [['start', 'a', '--account', 'medic'], 'reserved for the healer', 'max-1, max-2'],
    [['start', 'a', '--account', 'haiku-key'], 'is a substrate', 'max-1, max-2'],
    [['start', 'a', '--agent', 'claude-cod'], 'there is no agent claude-cod', 'did you mean claude-code?'],
    [['start', 'a', '--pin'], '--pin needs an account', '--account'],
    [['start', 'a', '--priority', 'high'], 'is not a whole number', 'lower numbers go first'],
    [['move', 'a'], 'move needs an account', '--to'],
    [['send', 'a'], 'there is no text to send', 'stdin'],
    [['send', 'a', '\u200b\u0007 \n'], 'there is no text to send', 'stdin'],
    [
      ['send', 'a', 'x', '--file', '.config/outpool/outpool.yaml'],
      'both a text and a file',
      'only one of them',
    ],
    [['send', 'a', '--command', '/exit'], 'ends the agent', 'outpool stop a'],
    [['send', 'a', '--command', 'compact'], 'not a command of the agent', '/compact'],
    [['completion', 'csh'], 'csh', '--help'],
    [['events', '--since', 'yesterdays'], '--since cannot be "yesterdays"', 'a duration such as 2h'],
    [['events', '--kind', 'moved'], 'there is no event of kind "moved"', 'session-moved'],
    [['worker', '--log', 'xml'], '--log cannot be "xml"', 'text, json'],
    [['worker', '--log-level', 'loud'], '--log-level cannot be "loud"', 'debug, info'],
  ])('%j', async (args, problem, remedy) => {
    const { code, stdout, stderr } = await place.run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    const [first, second, ...rest] = stderr.trimEnd().split('\n')
    expect(first).toMatch(/^outpool: /)
    expect(first).toContain(problem)
    expect(second).toMatch(/^ {2}-> /)
    expect(second).toContain(remedy)
    expect(rest).toEqual([])
  })

  it('a wrong file reports every error with its line', async () => {
    writeFileSync(place.config, 'pool:\n  acounts: []\ntiming: { probeEvery: 5 }\n')
    const { code, stdout, stderr } = await place.run(['start', 'a'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('outpool.yaml:2:3: pool.acounts is not a known key\n  -> did you mean accounts?')
    expect(stderr).toContain('outpool.yaml:3:23: timing.probeEvery is 5\n  -> write a duration such as')
  })

  it('law 1: a reserved account in the pool stops every command that reads the file', async () => {
    symlinkSync(join(place.dir, '.claude-max-1'), join(place.dir, 'link'))
    writeFileSync(
      place.config,
      'pool: { accounts: [{ name: max-1, configDir: ~/.claude-max-1 }] }\nreserved: [{ name: medic, configDir: ~/link }]\n',
    )
    for (const args of [
      ['start', 'a'],
      ['accounts'],
      ['move', 'a', '--to', 'max-1'],
      ['doctor'],
      ['worker'],
    ]) {
      const { code, stdout, stderr } = await place.run(args)
      const said = `${stdout}${stderr}`
      expect(said).toMatch(/rescuer shares the failure domain it heals: .*medic.*max-1/)
      if (args[0] !== 'doctor') expect(code).toBe(2)
    }
  })
})

describe('doctor --domains needs no engine', () => {
  const cells = z.array(
    z.strictObject({
      ...{ need: z.string(), failure: z.string(), shares: z.array(z.string()) },
      ...{ verdict: z.enum(['apart', 'accepted', 'refused']), why: z.string().nullable() },
    }),
  )

  it('law 1: shows what the healer needs beside what it heals', async () => {
    const { code, stdout } = await place.run(['doctor', '--domains', '--json'])
    expect(code).toBe(0)
    const found = cells.parse(JSON.parse(stdout))
    const medic = found.filter(({ need }) => need === 'reserved account medic')
    expect(medic.find(({ failure }) => failure === 'account')).toMatchObject({ verdict: 'apart', shares: [] })
    expect(medic.find(({ failure }) => failure === 'host')).toMatchObject({ verdict: 'accepted' })
  })

  it('law 1: an account on both sides is refused, exit 2', async () => {
    for (const dir of ['.claude-max-2', '.claude-medic'])
      writeFileSync(join(place.dir, dir, '.claude.json'), '{"oauthAccount":{"accountUuid":"one"}}')
    const { code, stdout } = await place.run(['doctor', '--domains'])
    expect(code).toBe(2)
    expect(stdout).toContain(
      'refused: an account: what spends one spends both\n  account: reserved account medic',
    )
    const picture = await place.run(['doctor', '--mermaid'])
    expect(picture.stdout).toMatch(/^flowchart LR\n[^]*== "refused: account/)
  })
})

describe('what is missing or broken on the host is reported with a remedy', () => {
  it('without tmux `up` does not start, and names it', async () => {
    const { code, stderr } = await place.run(['up'], { env: { PATH: place.dir } })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^outpool: there is no tmux on the PATH\n {2}-> Install tmux 3\.2/)
  })
})

describe('law 10: with no more than 128 open files', () => {
  it.each(['ls', 'doctor', 'up'])('%s says so in a sentence, and what to do', (command) => {
    const limited = ['-c', 'ulimit -n 128; exec "$@"', 'sh', ...outpool, command]
    const { status, stderr } = spawnSync('/bin/sh', limited, {
      ...{ cwd: place.dir, env: place.env, encoding: 'utf8' },
    })
    expect(stderr).toBe(
      'outpool: this process may open no more files than 128, and needs 256\n' +
        '  -> allow more, for instance with `ulimit -n 4096` (LimitNOFILE in a systemd unit), then try again\n',
    )
    expect(status).toBe(1)
  })
})

describe('without an engine: exit 3, what is wrong and what to do', () => {
  it('no engine was ever started', async () => {
    for (const args of [
      ['ls', '--json'],
      ['show', 'a'],
      ['accounts', '--json'],
      ['send', 'a', 'x'],
      ['stop', 'a'],
    ]) {
      const { code, stdout, stderr } = await place.run(args)
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
      expect(stderr).toBe(
        `outpool: no Temporal server is running for ${place.home}\n  -> start one with \`outpool up\`\n`,
      )
    }
  })

  it.each([
    [
      'lies below a file',
      (dir: string) => join(dir, '.config', 'outpool', 'outpool.yaml', 'state'),
      /not a directory/,
    ],
    // Node's recursive mkdir never returns from there.
    ['is where no folder can be made', () => '/proc/nowhere/state', /no such file/],
  ])('the state folder %s: every program names it and says what to do', async (_what, folderIn, why) => {
    const folder = folderIn(place.dir)
    for (const command of ['ls', 'up', 'doctor']) {
      const { code, stderr } = await place.run([command], { env: { OUTPOOL_HOME: folder } })
      expect(stderr).toContain(`the state folder ${folder} cannot be used`)
      expect(stderr).toMatch(why)
      expect(stderr).toContain('OUTPOOL_HOME')
      expect(code).toBe(2)
    }
  })

  it('engine.json belongs to a server that has died', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    const endpoint = { address: '127.0.0.1:1', namespace: 'default', uiUrl: null, pid }
    writeFileSync(join(place.home, 'engine.json'), JSON.stringify(endpoint))
    const { code, stderr } = await place.run(['ls'])
    expect(code).toBe(3)
    expect(stderr).toContain(`(pid ${pid}, 127.0.0.1:1) is no longer running`)
    expect(stderr).toContain('outpool up')
  })

  it("Temporal's own settings name a server that does not answer", async () => {
    const began = performance.now()
    const { code, stderr } = await place.run(['ls'], { env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } })
    expect(code).toBe(3)
    expect(stderr).toContain(
      "the Temporal server at 127.0.0.1:1 (named by Temporal's own settings) refuses connections: nothing listens there",
    )
    expect(performance.now() - began).toBeLessThan(60_000)
  })

  it('shows a stack with --debug only', async () => {
    const [plain, debug] = await Promise.all([place.run(['ls']), place.run(['ls', '--debug'])])
    expect(plain.stderr).not.toContain('    at ')
    expect(debug.stderr).toContain('    at ')
  })
})

describe('help and version', () => {
  it('--version prints the version of the package', async () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    const { version } = JSON.parse(manifest) as { version: string }
    expect(await place.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('--help lists the commands under the headings of the README', async () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
    const section = readme.split('\n## Commands\n')[1]?.split('\n## ')[0] ?? ''
    // A command with an option may be named under a second heading: it is listed under its first.
    const seen = new Set<string>()
    const headings = [...section.matchAll(/^\| ([a-z ]+?) +\| (`.+) \|$/gm)].map(
      ([, heading = '', cell = '']) => {
        const named = [...cell.matchAll(/`(?:outpool )?([a-z]+)/g)].map(([, name = '']) => name)
        const fresh = named.filter((name) => !seen.has(name))
        for (const name of fresh) seen.add(name)
        return [heading, fresh.sort()]
      },
    )
    const { stdout } = await place.run(['--help'])
    const listed = [...stdout.matchAll(/^([A-Z][a-z ]+):\n((?: .+\n)+)/gm)].map(
      ([, heading = '', lines = '']) => [
        heading.toLowerCase(),
        Array.from(lines.matchAll(/^ {2}([a-z]+) /gm), ([, name = '']) => name).sort(),
      ],
    )
    expect(headings.length).toBeGreaterThan(3)
    expect(listed.slice(1, -1)).toEqual(headings)
  })

  it('each command has --help on stdout', async () => {
    const { code, stdout } = await place.run(['--help'])
    expect(code).toBe(0)
    const commands = Array.from(stdout.matchAll(/^ {2}([a-z]+) /gm), ([, name]) => name!)
    expect(commands).toEqual(
      expect.arrayContaining([
        'init',
        'up',
        'start',
        'ls',
        'show',
        'attach',
        'send',
        'rescue',
        'move',
        'accounts',
      ]),
    )
    for (const name of commands.filter((command) => command !== 'help')) {
      const help = await place.run([name, '--help'])
      expect(help).toMatchObject({ code: 0, stderr: '' })
      expect(help.stdout).toContain(`Usage: outpool ${name}`)
    }
  })
})

describe('a configuration that is named but missing', () => {
  it.each(['ls', 'accounts', 'top', 'show a', 'attach a', 'incidents'])(
    'is an error of %s too',
    async (command) => {
      const args = command.split(' ')
      for (const attempt of [
        place.run([...args, '--config', 'nowhere.yaml']),
        place.run(args, { env: { OUTPOOL_CONFIG: join(place.dir, 'nowhere.yaml') } }),
      ]) {
        const { code, stdout, stderr } = await attempt
        expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
        expect(stderr).toContain('nowhere.yaml: the configuration does not exist')
      }
    },
  )
})

describe('init', () => {
  const init = (args: string[] = [], env: NodeJS.ProcessEnv = {}) => place.run(['init', ...args], { env })

  it('writes what it found in a form that every other command accepts, and never overwrites', async () => {
    const used = (dir: string) => writeFileSync(join(place.dir, dir, 'settings.json'), '{}')
    mkdirSync(join(place.dir, '.claude'))
    for (const dir of ['.claude', '.claude-max-1', '.claude-max-2', '.claude-medic']) used(dir)
    mkdirSync(join(place.dir, '.claude-unused'))
    symlinkSync(join(place.dir, '.claude-max-1'), join(place.dir, '.claude-same'))

    expect(await init(['--config', 'new/own.yaml'])).toMatchObject({ code: 0, stderr: '' })
    const text = readFileSync(join(place.dir, 'new/own.yaml'), 'utf8')
    const entries = Array.from(
      text.matchAll(/^ +- \{ name: (\S+), configDir: (\S+) \}$/gm),
      ([, name, dir]) => [name, dir],
    )
    // The person's own login is used only if they say so.
    expect(entries).toEqual([
      ['max-1', '"~/.claude-max-1"'],
      ['max-2', '"~/.claude-max-2"'],
      ['medic', '"~/.claude-medic"'],
    ])
    const read = await place.run(['start', 'a', '--account', 'medic', '--config', 'new/own.yaml'])
    expect(read.stderr).toContain('medic is reserved for the healer')

    const before = readFileSync(place.config, 'utf8')
    expect(await init()).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing was changed') as string,
    })
    expect(readFileSync(place.config, 'utf8')).toBe(before)
    mkdirSync(join(place.dir, '.claude-max-3'))
    used('.claude-max-3')
    expect((await init()).stdout).toContain('added max-3 to')
    const line = '    - { name: max-3, configDir: ~/.claude-max-3 }\n'
    expect(readFileSync(place.config, 'utf8').replace(line, '')).toBe(before)
  })

  it("uses the person's own login only if they say so, and writes into the user's config folder", async () => {
    const bare = join(place.dir, 'elsewhere')
    mkdirSync(bare)
    const env = { HOME: bare, XDG_CONFIG_HOME: join(bare, 'config') }
    mkdirSync(join(bare, '.claude'))
    writeFileSync(join(bare, '.claude', 'settings.json'), '{}')
    const refused = await init(['--yes'], env)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('outpool init --own')
    expect((await init(['--yes', '--own'], env)).stdout).toContain(
      `wrote ${join(bare, 'config/outpool/outpool.yaml')} with main`,
    )
  })

  it('says how to log in if it finds nothing', async () => {
    const { code, stderr } = await init(['--config', 'new.yaml'])
    expect(code).toBe(1)
    expect(stderr).toContain('CLAUDE_CONFIG_DIR=~/.claude-max-1 claude')
  })
})

describe('completion', () => {
  /** What bash offers for a line, by its own completion. */
  function offered(line: string): string[] {
    const words = line.split(' ')
    const shim = join(place.dir, 'bin')
    mkdirSync(shim, { recursive: true })
    const command = outpool.map((part) => `'${part}'`).join(' ')
    writeFileSync(join(shim, 'outpool'), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 })
    const script = `source <(outpool completion bash)
      COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
      _outpool; printf '%s\\n' "\${COMPREPLY[@]}"`
    const env = { ...place.env, PATH: `${shim}:${place.env['PATH'] ?? ''}` }
    return execFileSync('bash', ['-c', script], { env, cwd: place.dir, encoding: 'utf8' }).trim().split('\n')
  }

  it('offers commands, options, accounts, and the sessions that this host has had', () => {
    for (const name of ['docs', 'review']) mkdirSync(join(place.home, 'sessions', name), { recursive: true })
    expect(offered('outpool st')).toEqual(['start', 'stop'])
    expect(offered('outpool ls --')).toEqual(['--all', '--json', '--config', '--debug'])
    expect(offered('outpool show ')).toEqual(['docs', 'review'])
    expect(offered('outpool send do')).toEqual(['docs'])
    expect(offered('outpool start new --account ')).toEqual(['max-1', 'max-2'])
    expect(offered('outpool completion ')).toEqual(['bash', 'zsh', 'fish'])
  })

  it.each(['zsh', 'fish'])('has every command for %s', async (shell) => {
    const { code, stdout } = await place.run(['completion', shell])
    expect(code).toBe(0)
    for (const command of ['init', 'start', 'accounts', 'doctor']) expect(stdout).toContain(command)
    expect(stdout).toContain('outpool __complete session')
  })
})
