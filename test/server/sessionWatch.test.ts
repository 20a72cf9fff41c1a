/** What a watch concludes from one look, where the evidence comes in an order of its own. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Host } from '../../activities/host.js'
import type { Sample } from '../../activities/sampler.js'
import { SessionWatch } from '../../activities/sessionWatch.js'
import { openHome } from '../../config/home.js'
import { parseConfig } from '../../config/loadConfig.js'

const fixture = new URL('../agent/fixtures/walls-2.1.330.json', import.meta.url)
const { rows } = z
  .object({ rows: z.array(z.object({ name: z.string(), written: z.array(z.unknown()) })) })
  .parse(JSON.parse(readFileSync(fixture, 'utf8')))
/** What the program wrote into a transcript at this fault. */
const written = (name: string): string =>
  rows
    .find((row) => row.name === name)!
    .written.map((row) => `${JSON.stringify(row)}\n`)
    .join('')

const sessionId = '7da1d9f0-0000-4000-8000-000000000000'
const at = '2026-01-02T03:04:05.000Z'

let dir: string
let transcript: string
let host: Host
let watch: SessionWatch

const standing = (untilTurnEnd = false): SessionWatch =>
  new SessionWatch(
    host,
    {
      ...{ session: 's', sessionId, fence: 1, agent: 'claude-code', cwd: dir },
      ...{ model: null, transcriptFrom: 0, stayUntil: null, waiting: null, untilTurnEnd, status: '' },
      place: { kind: 'account', name: 'max-1' },
    },
    () => undefined,
  )

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-watch-'))
  const configDir = join(dir, 'max-1')
  transcript = join(configDir, 'projects', '-work', `${sessionId}.jsonl`)
  mkdirSync(join(transcript, '..'), { recursive: true })
  writeFileSync(transcript, '')
  const config = parseConfig(
    `pool: { accounts: [{ name: max-1, configDir: ${configDir} }] }`,
    join(dir, 'outpool.yaml'),
    {},
  )
  host = new Host(openHome({ OUTPOOL_HOME: join(dir, 'state') }), config)
  watch = standing()
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** One look at a live pane whose program calls itself busy or idle. */
const look = (activity: 'busy' | 'idle'): Sample => {
  const exit = { dead: false, exitStatus: null, exitSignal: null, deadAt: null, activeAt: Date.now() }
  const visited = 'never'
  return {
    panes: new Map([['s', { id: '%1', session: 's', fence: 1, pid: process.pid, ...exit, visited }]]),
    live: new Map([
      [process.pid, { pid: process.pid, sessionId, activity, waitingFor: null, updatedAt: at }],
    ]),
  }
}

const failed = (subagent: boolean) =>
  watch.take({ session: 's', fence: 1, at, kind: 'turn-failed', error: 'rate_limit', subagent })

const concluded = (): Promise<string> =>
  Promise.race([
    watch.ended.then(({ kind }) => kind),
    new Promise<string>((resolve) => setImmediate(() => resolve('nothing yet'))),
  ])

describe('a wall that the hook has reported', () => {
  it('is seen at once, though the program still called itself busy when it was looked at', async () => {
    failed(false)
    const looked = watch.look(look('busy'))
    // The row comes after the report.
    appendFileSync(transcript, written('five-hour limit'))
    await looked
    expect(await concluded()).toBe('walled')
  })

  it('law 6: of a subagent ends nothing while the main thread goes on', async () => {
    failed(true)
    appendFileSync(transcript, written('five-hour limit'))
    await watch.look(look('busy'))
    expect(await concluded()).toBe('nothing yet')
  })

  it('law 6: a row that no hook has reported waits until the program is no longer busy', async () => {
    appendFileSync(transcript, written('five-hour limit'))
    await watch.look(look('busy'))
    expect(await concluded()).toBe('nothing yet')
  })
})

describe('the end of a turn', () => {
  const answer = { type: 'assistant', timestamp: at, message: { model: 'm', content: 'done' } }

  it('is news where the session is there for one piece of work, once that was answered', async () => {
    watch = standing(true)
    await watch.look(look('idle'))
    expect(await concluded()).toBe('nothing yet')
    appendFileSync(transcript, `${JSON.stringify(answer)}\n`)
    await watch.look(look('busy'))
    expect(await concluded()).toBe('nothing yet')
    await watch.look(look('idle'))
    expect(await concluded()).toBe('turn-ended')
  })

  it('is none for a session that lives on', async () => {
    appendFileSync(transcript, `${JSON.stringify(answer)}\n`)
    await watch.look(look('idle'))
    expect(await concluded()).toBe('nothing yet')
  })
})
