/** What `outpool top` costs while it shows a fleet at rest, in a real terminal. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Fleet } from '../lab/fleet.js'
import { until } from '../lab/until.js'
import type { Row } from './harness.js'
import { usageOf } from './usage.js'

const bin = fileURLToPath(new URL('../dist/client/bin.js', import.meta.url))
/** The largest screen that the tests know. */
const size = { columns: 200, rows: 60 }
/** After this it is compiled, and has read the engine's forecasts once. */
const settled = 10_000
const span = 60_000

/** `runs` observations of a minute each, with the details of a session open. The fleet has so many sessions, all at rest. */
export async function topAtRest(fleet: Fleet, sessions: number, runs: number): Promise<Row> {
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-u', '-S', join(fleet.dir, 'top.sock'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...fleet.env, LC_ALL: 'C.UTF-8' },
    })
  const variables = Object.entries(fleet.env).flatMap(([name, value]) => ['-e', `${name}=${value}`])
  const place = ['-x', String(size.columns), '-y', String(size.rows), '-c', fleet.dir, ...variables]
  tmux('new-session', '-d', '-s', 'top', ...place, `exec '${process.execPath}' '${bin}' top`)
  try {
    await until(
      'the list',
      () => Promise.resolve(tmux('capture-pane', '-p', '-t', 'top')),
      (screen) => screen.includes(`sessions ${sessions}`),
    )
    tmux('send-keys', '-t', 'top', 'd')
    await delay(settled)
    const pid = Number(tmux('display-message', '-p', '-t', 'top', '#{pane_pid}'))
    const shares: number[] = []
    for (let run = 0; run < runs; run++) {
      const from = usageOf(pid).cpu
      await delay(span)
      shares.push(((usageOf(pid).cpu - from) / span) * 100)
    }
    return {
      description: `\`outpool top\` with ${sessions} quiet sessions at ${size.columns} × ${size.rows}, with the details of one: CPU of it and what it starts`,
      ...{ unit: '%', product: shares, floor: [], goal: { atMost: 2 } },
    }
  } finally {
    tmux('kill-server')
  }
}
