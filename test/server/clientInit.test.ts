/** `outpool init` on a real terminal, answered with keys. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parse } from 'yaml'
import { until } from '../../lab/until.js'
import { newTestHome, outpool, type TestHome } from './testHome.js'

let place: TestHome
const file = (): string => join(place.dir, 'config', 'outpool', 'outpool.yaml')

const tmux = (...args: string[]): string =>
  execFileSync('tmux', ['-u', '-S', join(place.dir, 'own.sock'), '-f', '/dev/null', ...args], {
    ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    env: { ...process.env, ...place.env },
  })
const shown = (): string => tmux('capture-pane', '-p', '-J', '-S', '-', '-t', 'person')
const untilShown = (text: string) =>
  until(
    text,
    () => Promise.resolve(shown()),
    (screen) => screen.includes(text),
  )
const press = (...keys: string[]): string => tmux('send-keys', '-t', 'person', ...keys)

const runInit = (): string => {
  tmux('send-keys', '-t', 'person', '-l', `clear; ${outpool.join(' ')} init; echo left with $?`)
  return press('Enter')
}

beforeEach(() => {
  place = newTestHome()
  for (const dir of ['.claude', '.claude-max-1', '.claude-max-2', '.claude-medic']) {
    mkdirSync(join(place.dir, dir), { recursive: true, mode: 0o700 })
    writeFileSync(join(place.dir, dir, 'settings.json'), '{}')
  }
  const variables = {
    ...place.env,
    XDG_CONFIG_HOME: join(place.dir, 'config'),
    SHELL: '/bin/bash',
    TEAM_ANTHROPIC_API_KEY: 'made-up-and-never-read',
    // No manager of this user's: nothing may be installed.
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere',
    XDG_RUNTIME_DIR: '/nowhere',
  }
  const env = Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`])
  tmux(
    'new-session',
    '-d',
    '-s',
    'person',
    '-x',
    '110',
    '-y',
    '50',
    '-c',
    join(place.dir, 'work'),
    ...env,
    '/bin/sh',
  )
})
afterEach(() => {
  tmux('kill-server')
  place.remove()
})

it('asks for logins, ceiling, reserve, fallback and completion, and says what to type next', async () => {
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
  tmux('clear-history', '-t', 'person')
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
