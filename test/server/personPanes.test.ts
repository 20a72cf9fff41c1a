/** Panes of a person's tmux servers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, expect, it } from 'vitest'
import { paneOnTerminal, personPanes } from '../../host/tmux/personTmux.js'
import { until } from '../../lab/until.js'

const dir = mkdtempSync(join(tmpdir(), 'person-panes-'))
const socket = join(dir, 'tmux.sock')
const tmux = async (...args: string[]): Promise<void> => {
  await execa('tmux', ['-S', socket, '-f', '/dev/null', ...args])
}
afterAll(async () => {
  await execa('tmux', ['-S', socket, 'kill-server'], { reject: false })
  rmSync(dir, { recursive: true })
})

it('law 3: a pane that was kept after the end of its process is not the one on the terminal that it had', async () => {
  await tmux('new-session', '-d', '-s', 'kept', 'sleep 600', ';', 'set-option', '-w', 'remain-on-exit', 'on')
  const [kept] = await personPanes([socket])
  expect(paneOnTerminal([kept!], kept!.tty)).toBe(kept)
  process.kill(kept!.pid)
  await until(
    'its end',
    () => personPanes([socket]),
    (panes) => panes[0]?.dead === true,
  )
  // Which process gets the terminal next depends on what else runs here.
  const panes = await personPanes([socket])
  const next = { ...kept!, id: '%2', pid: process.pid }
  expect(panes[0]).toMatchObject({ tty: kept!.tty })
  expect(paneOnTerminal([...panes, next], kept!.tty)).toBe(next)
  expect(paneOnTerminal(panes, kept!.tty)).toBeNull()
})
