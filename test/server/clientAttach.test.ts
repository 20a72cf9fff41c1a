/** `outpool attach` from terminal types that this host does not know, in a real terminal. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openHome } from '../../config/state/home.js'
import { until } from '../../lab/until.js'
import { type TestHome, newTestHome, outpool } from './testHome.js'

const letters = 'Grüße ╭─╮ 你好'

describe('attach', () => {
  let place: TestHome
  const run = (socket: string, ...args: string[]): string =>
    execFileSync('tmux', ['-u', '-S', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...place.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const terminal = (...args: string[]): string => run(join(place.dir, 'own.sock'), ...args)
  const panes = (...args: string[]): string =>
    run(openHome({ ...process.env, ...place.env }).tmuxSocket, ...args)
  const shown = (): string => terminal('capture-pane', '-p', '-t', 'person')

  beforeEach(() => {
    place = newTestHome()
    panes('new-session', '-d', '-s', 's1', '-x', '80', '-y', '20', `printf '%s' '${letters}'; exec sleep 600`)
    const env = Object.entries(place.env).flatMap(([name, value]) => ['-e', `${name}=${value ?? ''}`])
    terminal('new-session', '-d', '-s', 'person', '-x', '80', '-y', '20', '-c', place.dir, ...env, '/bin/sh')
  })
  afterEach(() => {
    for (const kill of [panes, terminal]) kill('kill-server')
    place.remove()
  })

  it.each([
    ['without an entry', 'TERM=xterm-ghostty'],
    ['that says it is dumb', 'TERM=dumb'],
    ['with an empty name', 'TERM='],
    ['without a name', 'env -u TERM'],
    ['that is known, without a locale of UTF-8', 'TERM=screen'],
  ])(
    'opens the pane in a terminal %s, shows every character, and restores the terminal',
    async (_, named) => {
      terminal(
        'send-keys',
        '-t',
        'person',
        `LC_ALL=C ${named.startsWith('env') ? named : `env ${named}`} ${outpool.join(' ')} attach s1; echo left with $?`,
        'Enter',
      )
      await until(
        'the pane',
        () => Promise.resolve(shown()),
        (text) => text.includes(letters),
      )
      panes('detach-client', '-s', 's1')
      await until(
        'the shell',
        () => Promise.resolve(shown()),
        (text) => text.includes('left with 0'),
      )
    },
  )

  it('says that tmux does not answer, instead of waiting for it', async () => {
    const pid = Number(panes('display-message', '-p', '#{pid}'))
    process.kill(pid, 'SIGSTOP')
    try {
      const { code, stderr } = await place.run(['attach', 's1'])
      expect(code).toBe(1)
      expect(stderr).toMatch(/the tmux server of .* does not answer\n {2}-> look whether/)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  })
})
