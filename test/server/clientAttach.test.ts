/** `outpool attach` from terminal types that this host does not know, in a real terminal. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openHome } from '../../config/state/home.js'
import { TmuxServer } from '../../host/tmux/server.js'
import { suspend } from '../../lab/machine/suspend.js'
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
    // Writes the configuration of Outpool's server.
    new TmuxServer(join(place.dir, 'unused.sock'), place.home, null)
    panes('new-session', '-d', '-s', 's1', '-x', '80', '-y', '20', `printf '%s' '${letters}'; exec sleep 600`)
    const env = Object.entries(place.env).flatMap(([name, value]) => ['-e', `${name}=${value}`])
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

  it.each([
    ['the same prefix', 'C-b', 'Ctrl-b Ctrl-b d', ['C-b', 'C-b', 'd']],
    ['another prefix', 'C-a', 'Ctrl-b d', ['C-b', 'd']],
  ])(
    'inside a tmux with %s, the status line says how to leave, and these keys do',
    async (_, prefix, words, keys) => {
      panes('source-file', join(place.dir, 'state', 'tmux.conf'))
      terminal('set-option', '-g', 'prefix', prefix)
      terminal('set-option', '-t', 'person', 'status', 'off')
      const outside = `env -u TMUX TERM=screen tmux -S ${join(place.dir, 'own.sock')} attach -t person`
      run(join(place.dir, 'far.sock'), 'new-session', '-d', '-s', 'far', '-x', '120', '-y', '20', outside)
      const far = (...args: string[]): string => run(join(place.dir, 'far.sock'), ...args)
      try {
        terminal('send-keys', '-t', 'person', `${outpool.join(' ')} attach s1; echo left with $?`, 'Enter')
        await until(
          'the hint',
          () => Promise.resolve(shown()),
          (text) => text.includes(letters) && text.includes(`leave with ${words} |`),
        )
        // Through the person's tmux, as from a keyboard.
        far('send-keys', '-t', 'far', ...keys)
        await until(
          'the shell',
          () => Promise.resolve(shown()),
          (text) => text.includes('left with 0'),
        )
        expect(terminal('list-clients', '-t', 'person').trim()).not.toBe('')
        expect(panes('show-options', '-gqv', '@outpool_nested').trim()).toBe('')
      } finally {
        far('kill-server')
      }
    },
  )

  it('opens a window of the tmux around it, once, and closes it when the session is left', async () => {
    panes('source-file', join(place.dir, 'state', 'tmux.conf'))
    const windows = (): string[] =>
      terminal('list-windows', '-t', 'person', '-F', '#{window_active} #{window_name}').trim().split('\n')
    const untilWindows = (...wanted: string[]) =>
      until(
        wanted.join(', '),
        () => Promise.resolve(windows()),
        (found) =>
          found.length === wanted.length && wanted.every((name, index) => found[index]?.startsWith(name)),
      )
    const attach = (window: string): string =>
      terminal(
        'send-keys',
        '-t',
        window,
        `${outpool.join(' ')} attach s1 --window; echo opened with $?`,
        'Enter',
      )
    attach('person')
    await untilWindows('0', '1 s1')
    await until(
      'the pane with the keys to leave it',
      () => Promise.resolve(terminal('capture-pane', '-p', '-t', 'person:s1')),
      (text) => text.includes(letters) && text.includes('leave with Ctrl-b Ctrl-b d |'),
    )
    // The shell is free, and a second command goes to the same window.
    expect(terminal('capture-pane', '-p', '-t', 'person:^')).toContain('opened with 0')
    terminal('select-window', '-t', 'person:^')
    attach('person:^')
    await untilWindows('0', '1 s1')
    terminal('send-keys', '-t', 'person:s1', 'C-b', 'd')
    await untilWindows('1')
  })

  it('needs a tmux for a window', async () => {
    expect(await place.run(['attach', 's1', '--window'], { env: { TMUX: '', TMUX_PANE: '' } })).toMatchObject(
      {
        code: 2,
        stderr: expect.stringContaining('--window needs a tmux of yours') as string,
      },
    )
  })

  it('law 7: says once that tmux does not answer, within seconds, in a terminal too', async () => {
    const pid = Number(panes('display-message', '-p', '#{pid}'))
    await suspend(pid)
    try {
      const { code, stderr } = await place.run(['attach', 's1'])
      expect(code).toBe(1)
      expect(stderr).toMatch(/^outpool: the tmux server of .* does not answer\n {2}-> look whether.*\n$/)
      const asked = performance.now()
      terminal('send-keys', '-t', 'person', `${outpool.join(' ')} attach s1; echo left with $?`, 'Enter')
      await until(
        'the shell',
        () => Promise.resolve(shown()),
        (text) => text.includes('left with 1'),
      )
      // Five seconds for tmux, and what a busy machine needs to start the command.
      expect(performance.now() - asked).toBeLessThan(60_000)
      expect(shown().replaceAll('\n', '').split('does not answer')).toHaveLength(2)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    // No client waits for its late answer.
    expect(panes('list-clients').trim()).toBe('')
  })
})
