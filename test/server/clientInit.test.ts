/** `outpool init` on a real terminal, answered with keys. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { FakeSystemdPrograms } from '../../lab/machine/systemdPrograms.js'
import { newTestHome, outpool, type TestHome } from './testHome.js'
import { TestTerminal } from './testTerminal.js'

let place: TestHome
let terminal: TestTerminal
const file = (): string => join(place.dir, 'config', 'outpool', 'outpool.yaml')

const untilShown = (text: string) => terminal.untilShown(text)
const shown = (): string => terminal.shown()
const press = (...keys: string[]): void => terminal.press(...keys)
const runInit = (): void => terminal.run(`${outpool.join(' ')} init`)

function openTerminal(more: NodeJS.ProcessEnv = {}): void {
  terminal = new TestTerminal(place.dir, join(place.dir, 'work'), {
    ...place.env,
    XDG_CONFIG_HOME: join(place.dir, 'config'),
    SHELL: '/bin/bash',
    TEAM_ANTHROPIC_API_KEY: 'made-up-and-never-read',
    // No manager of this user's: nothing may be installed.
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere',
    XDG_RUNTIME_DIR: '/nowhere',
    ...more,
  })
}

beforeEach(() => {
  place = newTestHome()
  for (const dir of ['.claude', '.claude-max-1', '.claude-max-2', '.claude-medic']) {
    mkdirSync(join(place.dir, dir), { recursive: true, mode: 0o700 })
    writeFileSync(join(place.dir, dir, 'settings.json'), '{}')
  }
})
afterEach(() => {
  terminal.close()
  place.remove()
})

it('asks for logins, ceiling, reserve, fallback and completion, and says what to type next', async () => {
  openTerminal()
  runInit()
  await untilShown('Which logins may sessions use?')
  // The person's own is offered first, and is not chosen until they say so.
  press('Space')
  press('Enter')
  await untilShown('Do you use one of them yourself?')
  press('Enter')
  await untilShown('How much of main may sessions use?')
  press('Down', 'Enter')
  await untilShown("Which login is the healer's reserve?")
  press('Enter')
  await untilShown('Where shall sessions go on')
  press('Space', 'Enter')
  await untilShown('Let your shell complete')
  press('Enter')
  await untilShown('left with 0')
  expect(shown()).toContain('What to type next')
  expect(shown()).toContain('outpool up')
  // The made-up logins are none, which the doctor says.
  expect(shown()).toContain('First mend what the doctor found')
  expect(shown()).not.toContain('made-up-and-never-read')
  const text = readFileSync(file(), 'utf8')
  expect(text).not.toContain('made-up-and-never-read')
  expect(parse(text)).toMatchObject({
    pool: {
      accounts: [
        { name: 'main', configDir: '~/.claude', ceiling: '60%' },
        { name: 'max-1', configDir: '~/.claude-max-1' },
        { name: 'max-2', configDir: '~/.claude-max-2' },
      ],
    },
    reserved: [{ name: 'medic', configDir: '~/.claude-medic' }],
    substrates: [
      { name: 'team-anthropic-api-key', env: { ANTHROPIC_API_KEY: { fromEnv: 'TEAM_ANTHROPIC_API_KEY' } } },
    ],
  })
  expect(readFileSync(join(place.dir, '.bashrc'), 'utf8')).toBe('source <(outpool completion bash)\n')

  // Again, with one more login: only that is asked for, and everything else stays.
  mkdirSync(join(place.dir, '.claude-max-3'), { mode: 0o700 })
  writeFileSync(join(place.dir, '.claude-max-3', 'settings.json'), '{}')
  runInit()
  await untilShown('Which of these logins shall be added')
  press('Enter')
  await untilShown('Do you use one of them yourself?')
  press('Enter')
  await untilShown('left with 0')
  const merged = readFileSync(file(), 'utf8')
  expect(merged.replace(/^ +- \{ name: max-3.*\n/m, '')).toBe(text)
  expect(merged).toContain('name: max-3')
})

it('says what is lost without a reserve, and writes nothing if the person gives up', async () => {
  openTerminal()
  runInit()
  await untilShown('Which logins may sessions use?')
  press('Enter')
  await untilShown('Do you use one of them yourself?')
  press('Enter')
  await untilShown("Which login is the healer's reserve?")
  press('Down', 'Enter')
  await untilShown('no agent')
  await untilShown('Where shall sessions go on')
  press('C-c')
  await untilShown('left with 1')
  expect(shown()).toContain('ended before anything was written')
  expect(existsSync(file())).toBe(false)
})

describe('where systemd has a manager for the user', () => {
  let systemd: FakeSystemdPrograms
  const unit = (): string => join(place.dir, 'config', 'systemd', 'user', 'outpool.service')

  /** Up to the offer of a service, with the answers that are chosen first. */
  async function untilServiceOffered(): Promise<void> {
    systemd = new FakeSystemdPrograms(place.dir)
    openTerminal({ PATH: `${systemd.folder}:${place.env['PATH'] ?? ''}`, XDG_RUNTIME_DIR: place.dir })
    runInit()
    for (const question of [
      'Which logins may sessions use?',
      'Do you use one of them yourself?',
      "Which login is the healer's reserve?",
      'Where shall sessions go on',
    ]) {
      await untilShown(question)
      press('Enter')
    }
    await untilShown('Install Outpool as a service of your user')
  }

  it('installs the service if the person wants it, and then does not tell them to run outpool up', async () => {
    await untilServiceOffered()
    expect(existsSync(unit())).toBe(false)
    press('Enter')
    await untilShown('Let your shell complete')
    expect(readFileSync(unit(), 'utf8')).toContain(file())
    expect(systemd.recordedCalls('systemctl')).toEqual([
      '--user show-environment',
      '--user daemon-reload',
      '--user enable --now outpool.service',
    ])
    press('Enter')
    await untilShown('left with 0')
    expect(shown()).toContain('outpool runs as a service')
    expect(shown()).toContain('outpool start docs')
    expect(shown()).not.toContain('outpool up  ')
  })

  it('installs nothing if they do not, and goes on', async () => {
    await untilServiceOffered()
    press('n')
    await untilShown('Let your shell complete')
    press('n')
    await untilShown('left with 0')
    expect(shown()).toContain('outpool up  ')
    expect(existsSync(unit())).toBe(false)
    expect(existsSync(join(place.dir, '.bashrc'))).toBe(false)
    expect(systemd.recordedCalls('systemctl')).toEqual(['--user show-environment'])
  })

  it('says why the service could not be installed, and goes on without it', async () => {
    await untilServiceOffered()
    systemd.answer(1, 'Failed to enable unit: Access denied')
    press('Enter')
    await untilShown('Let your shell complete')
    expect(shown()).toContain('Access denied')
    press('n')
    await untilShown('left with 0')
    expect(shown()).toContain('outpool up  ')
  })
})
