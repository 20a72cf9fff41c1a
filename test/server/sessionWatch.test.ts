/** What a watch concludes from one check, if the evidence arrives in an unusual order. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { StaleFenceError } from '../../host/errors.js'
import { Host } from '../../host/host.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { ServiceContext } from '../../activities/services/serviceContext.js'
import { watchWakeUp } from '../../activities/services/wakeUp.js'
import { deliverText } from '../../activities/session/deliver.js'
import type { WatchRequest } from '../../activities/contracts.js'
import { Sampler } from '../../activities/watch/sampler.js'
import type { HostObservation } from '../../activities/watch/sessionWatch.js'
import { SessionWatch } from '../../activities/watch/sessionWatch.js'
import { openHome } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { parseConfig } from '../../config/load/load.js'
import { until } from '../../lab/until.js'

const fixture = new URL('../adapter/fixtures/walls-2.1.330.json', import.meta.url)
const { rows } = z
  .object({ rows: z.array(z.object({ name: z.string(), written: z.array(z.unknown()) })) })
  .parse(JSON.parse(readFileSync(fixture, 'utf8')))
/** What the program wrote into a transcript at this failure. */
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
/** Milliseconds that the host was suspended. */
let asleep: number

const startWatch = (untilTurnEnd = false, change: Partial<WatchRequest> = {}): SessionWatch =>
  new SessionWatch(
    host,
    {
      ...{ session: 's', sessionId, fence: 1, agent: 'claude-code', cwd: dir },
      ...{ model: null, transcriptFrom: 0, stayUntil: null, waiting: null, untilTurnEnd, status: '' },
      place: { kind: 'account', name: 'max-1' },
      ...change,
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
  asleep = 0
  host = new Host(openHome({ OUTPOOL_HOME: join(dir, 'state') }), config, () => asleep)
  watch = startWatch()
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** One check of a live pane whose program calls itself busy or idle. */
const observation = (activity: 'busy' | 'idle', activeAt = Date.now()): HostObservation => {
  const exit = { dead: false, exitCode: null, exitSignal: null, deadAt: null, activeAt }
  const visited = 'never'
  return {
    panes: new Map([['s', { id: '%1', session: 's', fence: 1, pid: process.pid, ...exit, visited }]]),
    live: new Map([
      [process.pid, { pid: process.pid, sessionId, activity, waitingFor: null, updatedAt: at }],
    ]),
  }
}

const failed = (subagent: boolean) =>
  watch.applyReport({ session: 's', fence: 1, at, kind: 'turn-failed', error: 'rate_limit', subagent })

const concluded = (): Promise<string> =>
  Promise.race([
    watch.ended.then(({ kind }) => kind),
    new Promise<string>((resolve) => setImmediate(() => resolve('nothing yet'))),
  ])

describe('a session at rest', () => {
  const restLookEvery = 10_000
  const rested = async (change: Partial<WatchRequest> = {}, untilTurnEnd = false): Promise<SessionWatch> => {
    const resting = startWatch(untilTurnEnd, change)
    await resting.update(observation('idle'))
    return resting
  }

  it('is checked from time to time if nothing of it has changed', async () => {
    const resting = await rested()
    expect(resting.isDue(observation('idle'))).toBe(false)
    expect(resting.isDue(observation('idle'), Date.now() + restLookEvery)).toBe(true)
    // A clock that was set back must not keep it from being checked.
    expect(resting.isDue(observation('idle'), Date.now() - 2 * restLookEvery)).toBe(true)
  })

  const changed: Record<string, HostObservation> = {
    'its program is busy': observation('busy'),
    'its program reports that something was going on meanwhile': {
      ...observation('idle'),
      live: new Map([[process.pid, { ...observation('idle').live.get(process.pid)!, updatedAt: `${at}!` }]]),
    },
    'its program continues another conversation': {
      ...observation('idle'),
      live: new Map([[process.pid, { ...observation('idle').live.get(process.pid)!, sessionId: 'another' }]]),
    },
    'its program reports nothing any more': { ...observation('idle'), live: new Map() },
    'its process has ended': {
      ...observation('idle'),
      panes: new Map([['s', { ...observation('idle').panes!.get('s')!, dead: true }]]),
    },
    'its pane is gone': { ...observation('idle'), panes: new Map() },
    'tmux is gone': { ...observation('idle'), panes: null },
  }
  it.each(Object.entries(changed))('is checked at once if %s', async (_, sample) => {
    expect((await rested()).isDue(sample)).toBe(true)
  })

  it('is checked at once if a turn has failed, or it is ordered to fail back', async () => {
    const failing = await rested()
    failing.applyReport({
      session: 's',
      fence: 1,
      at,
      kind: 'turn-failed',
      error: 'rate_limit',
      subagent: false,
    })
    expect(failing.isDue(observation('idle'))).toBe(true)
    const called = await rested()
    host.records.saveFailbackRequest('s', 1)
    expect(called.isDue(observation('idle'))).toBe(true)
  })

  it('is not at rest while an answer is awaited, or while it works', async () => {
    expect((await rested({}, true)).isDue(observation('idle'))).toBe(true)
    expect((await rested({ failing: true })).isDue(observation('idle'))).toBe(true)
    expect(startWatch().isDue(observation('idle'))).toBe(true)
  })
})

describe('a wall that the hook has reported', () => {
  it('is seen at once, though the program still called itself busy when it was checked', async () => {
    failed(false)
    const looked = watch.update(observation('busy'))
    // The entry comes after the report.
    appendFileSync(transcript, written('five-hour limit'))
    await looked
    expect(await concluded()).toBe('walled')
  })

  it('law 10: is seen though its entry comes late and a subagent keeps the program busy', async () => {
    failed(false)
    await watch.update(observation('busy'))
    expect(await concluded()).toBe('nothing yet')
    appendFileSync(transcript, written('five-hour limit'))
    await watch.update(observation('busy'))
    expect(await concluded()).toBe('walled')
  })

  it('law 6: of a subagent ends nothing while the main thread goes on', async () => {
    failed(true)
    appendFileSync(transcript, written('five-hour limit'))
    await watch.update(observation('busy'))
    expect(await concluded()).toBe('nothing yet')
  })

  it('law 6: an entry that no hook has reported waits until the program is no longer busy', async () => {
    appendFileSync(transcript, written('five-hour limit'))
    await watch.update(observation('busy'))
    expect(await concluded()).toBe('nothing yet')
  })
})

describe('a busy agent whose pane has long shown no change', () => {
  const threeHours = 3 * 3_600_000

  it('law 6: hangs', async () => {
    await watch.update(observation('busy', Date.now() - threeHours))
    expect(await concluded()).toBe('frozen')
  })

  it('law 6: is left alone if its host was suspended meanwhile', async () => {
    asleep = threeHours
    await watch.update(observation('busy', Date.now() - threeHours))
    expect(await concluded()).toBe('nothing yet')
  })

  it('law 6: is left alone if the clock of its host was set forward meanwhile', async () => {
    host = new Host(host.home, host.config)
    watch = startWatch()
    const drawnAt = Date.now()
    await watch.update(observation('busy', drawnAt))
    const real = Date.now.bind(Date)
    const set = vi.spyOn(Date, 'now').mockImplementation(() => real() + threeHours)
    try {
      await watch.update(observation('busy', drawnAt))
      expect(await concluded()).toBe('nothing yet')
    } finally {
      set.mockRestore()
    }
  })
})

describe('the transcript', () => {
  it('that the agent began after its launch is reported with any observation', async () => {
    rmSync(transcript)
    await watch.update(observation('busy'))
    expect(watch.transcript).toBeNull()
    writeFileSync(transcript, written('five-hour limit'))
    await watch.update(observation('idle'))
    expect(await watch.ended).toMatchObject({ kind: 'walled', transcript })
  })
})

describe('the end of a turn', () => {
  const answer = { type: 'assistant', timestamp: at, message: { model: 'm', content: 'done' } }

  it('ends the watch of a session for a single task, once that was answered', async () => {
    watch = startWatch(true)
    await watch.update(observation('idle'))
    expect(await concluded()).toBe('nothing yet')
    appendFileSync(transcript, `${JSON.stringify(answer)}\n`)
    await watch.update(observation('busy'))
    expect(await concluded()).toBe('nothing yet')
    await watch.update(observation('idle'))
    expect(await concluded()).toBe('turn-ended')
  })

  it('does not end the watch of a session that lives on', async () => {
    appendFileSync(transcript, `${JSON.stringify(answer)}\n`)
    await watch.update(observation('idle'))
    expect(await concluded()).toBe('nothing yet')
  })
})

describe('another conversation in the same pane', () => {
  const other = '9bb1d9f0-0000-4000-8000-000000000000'
  const went = async (since: string): Promise<number> => {
    const file = join(transcript, '..', `${other}.jsonl`)
    writeFileSync(file, written('five-hour limit'))
    const launch = {
      fence: 1,
      agent: 'claude-code',
      sessionId,
      cwd: dir,
      process: null,
      transcriptFrom: 7,
      prompt: null,
      forkedAt: null,
    }
    host.records.saveLaunch('s', { ...launch, place: { kind: 'account', name: 'max-1' } })
    const more = { kind: 'started', sessionId: other, transcript: file, source: 'resume' } as const
    watch.applyReport({ session: 's', fence: 1, at: since, ...more })
    await watch.update(observation('busy'))
    const seen = await watch.ended
    if (seen.kind !== 'renamed') throw new Error(`it saw ${seen.kind}`)
    expect(host.records.newest('s')).toMatchObject({ sessionId: other, transcriptFrom: seen.transcriptFrom })
    return seen.transcriptFrom
  }

  it('law 6: a wall that an older one ended in is not this account’s', async () => {
    expect(await went(new Date().toISOString())).toBe(Buffer.byteLength(written('five-hour limit')))
  })

  it('a wall that was met there since is seen', async () => {
    expect(await went('2020-01-01T00:00:00.000Z')).toBe(0)
  })

  it('law 5: a text that was meant for the older one is not typed again and again', async () => {
    await went(new Date().toISOString())
    const request = { session: 's', sessionId, fence: 1, agent: 'claude-code', cwd: dir, messageId: '1' }
    const place = { kind: 'account', name: 'max-1' } as const
    const delivery = new MockActivityEnvironment().run(() =>
      deliverText(host, new Sampler(host), { ...request, place, text: 'x' }),
    )
    await expect(delivery).rejects.toThrow(`conversation ${other}`)
  })
})

it('law 5: the record of a text that was typed into a fork proves nothing about the original conversation', async () => {
  const said = (content: string): string =>
    `${JSON.stringify({ type: 'user', timestamp: at, message: { role: 'user', content } })}\n`
  writeFileSync(transcript, said('go on'))
  const place = { kind: 'account', name: 'max-1' } as const
  const typed = { print: claudeCode.fingerprint('go on'), from: 0, mark: 0, fence: 1, typed: 1, entered: 1 }
  host.records.saveDelivery('s', '1', {
    ...{ ...typed, enteredAt: 1, keyAt: 1, taken: false },
    conversation: '7da1d9f0-0000-4000-8000-000000000002',
  })
  // So that the delivery ends at the point at which it would type the text.
  host.records.saveStop('s', 2)
  const request = { session: 's', sessionId, fence: 2, agent: 'claude-code', cwd: dir, messageId: '1' }
  const delivery = new MockActivityEnvironment().run(() =>
    deliverText(host, new Sampler(host), { ...request, place, text: 'go on' }),
  )
  await expect(delivery).rejects.toBeInstanceOf(StaleFenceError)
})

it('law 13: a continuation is not typed if the agent was prompted while it waited for the input line', async () => {
  const prompt = { type: 'user', timestamp: at, message: { role: 'user', content: 'I am here again.' } }
  const sampler = new Sampler(host)
  vi.spyOn(sampler, 'untilAccepts').mockImplementation(() => {
    writeFileSync(transcript, `${JSON.stringify(prompt)}\n`)
    return Promise.resolve(true)
  })
  const lookedAtPane = vi.spyOn(host.tmux, 'pane')
  const request = { session: 's', sessionId, fence: 1, agent: 'claude-code', cwd: dir, messageId: '1' }
  const place = { kind: 'account', name: 'max-1' } as const
  await new MockActivityEnvironment().run(() =>
    deliverText(host, sampler, { ...request, place, text: 'go on', skipIfPromptedAfter: 0 }),
  )
  expect(lookedAtPane).not.toHaveBeenCalled()
})

describe('turns that kept failing', () => {
  const answer = `${JSON.stringify({ type: 'assistant', timestamp: at, message: { model: 'm', content: [] } })}\n`

  it('the first answer is reported if a person was notified, and only then', async () => {
    appendFileSync(transcript, answer)
    await watch.update(observation('busy'))
    expect(await concluded()).toBe('nothing yet')
    watch = startWatch(false, { failing: true })
    await watch.update(observation('busy'))
    expect(await concluded()).toBe('answered')
  })
})

describe('a turn that a hook of the user’s has stopped', () => {
  const entry = (content: object): string => `${JSON.stringify({ uuid: 'u', timestamp: at, ...content })}\n`
  const called = entry({ type: 'assistant', message: { model: 'm', stop_reason: 'tool_use', content: [] } })
  const attachment = {
    ...{ type: 'hook_stopped_continuation', hookEvent: 'PreToolUse', message: 'no such tools' },
  }
  const stopped = entry({ type: 'attachment', attachment })

  it('law 13: is reported once, when the agent is at rest, with the reason', async () => {
    appendFileSync(transcript, called + stopped)
    await watch.update(observation('busy'))
    expect(await concluded()).toBe('nothing yet')
    await watch.update(observation('idle'))
    const { transcriptTo, ...observed } = await watch.ended
    expect(observed).toMatchObject({
      kind: 'turn-stopped',
      text: 'a hook on PreToolUse stopped its turn: "no such tools"',
      wasWorking: false,
    })
    watch = startWatch(false, { transcriptFrom: transcriptTo, failing: true })
    await watch.update(observation('idle'))
    expect(await concluded()).toBe('nothing yet')
    appendFileSync(transcript, called)
    await watch.update(observation('busy'))
    expect(await concluded()).toBe('answered')
  })

  it('law 5: does not count as interrupted once the process is gone', async () => {
    appendFileSync(transcript, called + stopped)
    await watch.update({ panes: null, live: new Map() })
    expect(await watch.ended).toMatchObject({ kind: 'gone', wasWorking: false })
  })
})

describe('reports', () => {
  it("law 7: from a time without a worker wait for their session's watch, however old", async () => {
    mkdirSync(host.home.reports, { recursive: true })
    const report = join(host.home.reports, 's.1.SessionEnd.77-1')
    writeFileSync(report, '{"reason":"prompt_input_exit"}')
    utimesSync(report, new Date(0), new Date(0))
    const launch = {
      fence: 1,
      agent: 'claude-code',
      sessionId,
      cwd: dir,
      process: null,
      transcriptFrom: 0,
      prompt: null,
      forkedAt: null,
    }
    host.records.saveLaunch('s', { ...launch, place: { kind: 'account', name: 'max-1' } })
    const sampler = new Sampler(host)
    sampler.start()
    try {
      await until(
        'the first check',
        () => Promise.resolve(existsSync(host.home.liveFile)),
        (isThere) => isThere,
      )
      expect(existsSync(report)).toBe(true)
      await sampler.add(watch)
      await until(
        'the report taken',
        () => Promise.resolve(existsSync(report)),
        (isThere) => !isThere,
      )
    } finally {
      await sampler.stop()
    }
  })
})

describe('a process that is gone before its watch has seen it at work', () => {
  const entry = (content: object): string => `${JSON.stringify({ uuid: 'u', timestamp: at, ...content })}\n`
  const asked = entry({ type: 'user', message: { role: 'user', content: 'Build it.' } })
  const answered = (stop: string): string =>
    entry({
      type: 'assistant',
      message: { model: 'm', stop_reason: stop, content: [{ type: 'text', text: '.' }] },
    })
  const interrupted = entry({
    type: 'user',
    message: { role: 'user', content: '[Request interrupted by user]' },
  })

  const ends: [string, string, boolean][] = [
    ['that never had a turn', '', false],
    ['at rest', asked + answered('end_turn'), false],
    ['that a person interrupted', asked + answered('tool_use') + interrupted, false],
    ['in the middle of a turn', asked + answered('tool_use'), true],
    ['that had not answered yet', answered('end_turn') + asked, true],
  ]
  it.each(ends)('law 5: an agent %s is known from its transcript', async (_what, entries, wasWorking) => {
    writeFileSync(transcript, entries)
    await watch.update({ panes: null, live: new Map() })
    expect(await watch.ended).toMatchObject({ kind: 'gone', what: 'tmux', wasWorking })
  })
})

describe('a move for a reason that another session met', () => {
  it('law 5: a lost login that an idle session has only heard of interrupts nothing', async () => {
    host.quota.recordLogin('max-1', 'out', at)
    await watch.update(observation('idle'))
    expect(await watch.ended).toMatchObject({ kind: 'login', wasWorking: false })
  })

  it('law 5: a session that has been at rest for long was not interrupted by the limit', async () => {
    await watch.update(observation('busy'))
    const resetsAt = new Date(Date.now() + 3_600_000).toISOString()
    const readAt = new Date().toISOString()
    await watch.update(observation('idle'))
    vi.useFakeTimers({ now: Date.now() + 10 * 60_000, toFake: ['Date'] })
    try {
      host.quota.recordWindows('max-1', [
        { name: 'five_hour', used: 0.99, resetsAt, readAt, source: 'status-line' },
      ])
      await watch.update(observation('idle'))
      expect(await watch.ended).toMatchObject({ kind: 'near-limit', wasWorking: false })
    } finally {
      vi.useRealTimers()
    }
  })
})

it('law 14: what a watch finds at its begin is published at once, and not with the next tick', async () => {
  const { panes, live } = observation('idle')
  vi.spyOn(host.tmux, 'pane').mockResolvedValue(panes!.get('s')!)
  vi.spyOn(host.adapter('claude-code'), 'readLiveStates').mockResolvedValue([...live.values()])
  // Never started, so that nothing is published by a tick.
  const sampler = new Sampler(host)
  await sampler.add(watch)
  const published = await until(
    'the published state',
    () => Promise.resolve(readLive(host.home)),
    (file) => file !== null,
  )
  expect(published?.sessions).toMatchObject({ s: { phase: 'idle', fence: 1 } })
  await sampler.stop()
  vi.restoreAllMocks()
})

it('a planned move waits until the keys of a person in the pane have been quiet for `keysQuiet`', async () => {
  host.quota.recordLogin('max-1', 'out', at)
  const { keysQuiet } = host.config.timing
  const lastKey = vi.spyOn(host.tmux, 'lastKeyAt').mockResolvedValue(Date.now() - keysQuiet / 2)
  await watch.update(observation('idle'))
  expect(await concluded()).toBe('nothing yet')
  lastKey.mockResolvedValue(Date.now() - keysQuiet - 1_000)
  await watch.update(observation('idle'))
  expect(await concluded()).toBe('login')
})

it.each([
  ['before its watch begins', -1_000],
  ['during its watch', 300],
])('law 10: an agent that was woken is ended when its time is over %s', async (_, inMs) => {
  const sampler = new Sampler(host)
  // Its program hangs: whatever is sampled, nothing has changed.
  vi.spyOn(sampler, 'add').mockResolvedValue()
  const watching = new MockActivityEnvironment().run(() =>
    watchWakeUp(new ServiceContext(host), sampler, {
      ...{ session: 'wake-up-1', sessionId, fence: 1, agent: 'claude-code', cwd: dir, model: null },
      ...{ place: { kind: 'account', name: 'max-1' }, service: 'loop', incident: 1, transcriptFrom: 0 },
      ...{ waitingFor: null, until: new Date(Date.now() + inMs).toISOString() },
    }),
  )
  await expect(watching).resolves.toEqual({ kind: 'over', why: 'it was not done in time' })
})
