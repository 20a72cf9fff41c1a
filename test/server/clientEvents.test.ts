/** `outpool events`: readable lines, JSON lines, filters; it needs neither engine nor configuration. */
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { EventDraft } from '../../config/events/schema.js'
import { openHome } from '../../config/state/home.js'
import { EventStore } from '../../host/state/eventStore.js'
import { until } from '../../lab/until.js'
import { newTestHome, outpool, type TestHome, useWarmCommands } from './testHome.js'

const commands = useWarmCommands()
let place: TestHome
let following: ChildProcess | null = null
beforeEach(() => {
  place = newTestHome(commands)
  rmSync(place.config)
})
afterEach(() => {
  following?.kill()
  following = null
  place.remove()
})

const worker = (): EventStore =>
  new EventStore(openHome({ OUTPOOL_HOME: place.home }), () => ({ maxSize: 20_000, keepFor: 86_400_000 }))

const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()

const wall = { kind: 'five_hour', scope: 'account', resetsAt: ago(-60), evidence: 'transcript' } as const
const moved: EventDraft = {
  ...{ id: 'm', at: ago(30), kind: 'session-moved', session: 'docs', n: 1, cause: 'wall' },
  ...{ from: 'max-1', to: 'max-2', wall, conversation: 'same', why: 'the most room', ms: 912, steps: [] },
}
const stopped = (n: number, session: string, at: string): EventDraft => ({
  ...{ id: `s${n}`, at, kind: 'session-stopped', session, why: `reason ${n}` },
})

it('law 14: lines for a person, JSON lines for a program, each with its filters', async () => {
  worker().record(stopped(1, 'old', ago(300)), moved, stopped(2, 'docs', ago(1)))
  const { code, stdout, stderr } = await place.run(['events', '--since', '2h'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(
    /^(\w+ \d+ )?\d\d:\d\d {2}docs: max-1 walled \(five_hour, until .*\d\d:\d\d\) → max-2, same conversation, 0\.9 s$/,
  )
  const idsOf = async (...args: string[]): Promise<string[]> =>
    (await place.run(['events', '--json', ...args])).stdout
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { id: string }).id]))
  expect(await idsOf()).toEqual(['s1', 'm', 's2'])
  expect(await idsOf('--session', 'docs')).toEqual(['m', 's2'])
  expect(await idsOf('--account', 'max-2')).toEqual(['m'])
  expect(await idsOf('--kind', 'session-stopped', '--session', 'old')).toEqual(['s1'])
  expect(await idsOf('--since', ago(5))).toEqual(['s2'])
})

it('law 14: --follow prints each event once, over a restart of the worker and a rotation of its files', async () => {
  worker().record(stopped(0, 'docs', ago(1)))
  const [program = '', ...before] = outpool
  following = spawn(program, [...before, 'events', '--follow', '--json'], { env: place.env, cwd: place.dir })
  let said = ''
  following.stdout!.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const untilSaid = async (n: number): Promise<void> => {
    await until(
      `event ${n}`,
      () => Promise.resolve(said),
      (text) => text.includes(`"s${n}"`),
    )
  }
  await untilSaid(0)
  for (const n of [1, 2]) {
    worker().record(stopped(n, 'docs', ago(0)))
    await untilSaid(n)
  }
  const next = worker()
  for (let n = 3; n <= 40; n++) next.record(stopped(n, 'docs', ago(0)))
  await untilSaid(40)
  const ids = said
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id)
  expect(ids).toEqual(Array.from({ length: 41 }, (_, n) => `s${n}`))
})
