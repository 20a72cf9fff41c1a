/**
 * The watchdog on real processes, real tmux and a real engine: each way in which a service can fail, at once.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive, processStart } from '../../host/process/processes.js'
import { until } from '../../lab/until.js'
import { WatchdogHarness } from './watchdogHarness.js'

const names = [
  'exits',
  'hangs',
  'spins',
  'forks',
  'circles',
  'morning',
  'blind',
  'busy',
  'twice',
  'calm',
  'watched',
  'hand',
]

let watchdog: WatchdogHarness
let watching: ReturnType<WatchdogHarness['watchDoubles']>

beforeAll(async () => {
  watchdog = await WatchdogHarness.open([
    ...names.slice(0, 3).map((name) => ({ name })),
    { name: 'forks', mode: 'fork' },
    { name: 'circles', mode: 'exit 7', config: { restarts: { limit: 2, within: '1m', backoff: '1s' } } },
    ...['morning', 'blind', 'twice', 'hand'].map((name) => ({ name })),
    { name: 'busy', config: { busyCheck: { files: ['busy/*.log'], within: '4s' } } },
    { name: 'calm', config: { every: '1s' } },
    { name: 'watched', config: { pidFile: 'watched/pid' } },
  ])
  await watchdog.startWorker()
  watching = watchdog.watchDoubles(names)
})

afterAll(async () => {
  watching.stop()
  await watchdog.close(names)
})

const kill = async (name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
  const [pid] = await watchdog.alive(name)
  process.kill(pid!, signal)
}

describe.concurrent('law 6: each failure has its own answer', () => {
  it('a service that exits is restarted, and its last output is kept', async () => {
    await watchdog.untilWell('exits')
    watchdog.mode('exits', 'exit 3')
    await until(
      'its end',
      () => watchdog.alive('exits'),
      (alive) => alive.length === 0,
    )
    watchdog.mode('exits', '')
    await watchdog.untilWell('exits', 2)
    const [incident] = await until(
      'the report',
      () => Promise.resolve(watchdog.incidents('exits')),
      ([one]) => one?.outcome === 'recovered',
    )
    expect(incident?.timeline[0]?.what).toContain('exit code 3')
    expect(incident?.evidence[0]?.text).toContain('leaving with 3')
  })

  it('a service that hangs, and ignores TERM, is killed and restarted', async () => {
    await watchdog.untilWell('hangs')
    const [first] = watchdog.starts('hangs')
    watchdog.mode('hangs', 'deaf')
    await until(
      'its end',
      () => processStart(first!),
      (start) => start === null,
    )
    watchdog.mode('hangs', '')
    await watchdog.untilWell('hangs', 2)
    expect(await firstSign('hangs')).toMatch(/^frozen: /)
  })

  it('a service that spins is found by its heartbeat, not by its existence', async () => {
    await watchdog.untilWell('spins')
    const [first] = watchdog.starts('spins')
    watchdog.mode('spins', 'spin')
    await until(
      'its end',
      () => processStart(first!),
      (start) => start === null,
    )
    watchdog.mode('spins', '')
    await watchdog.untilWell('spins', 2)
  })

  it('a service that forks away is recognised by its descendant, and ended with it', async () => {
    await watchdog.untilWell('forks')
    expect(watchdog.starts('forks')).toHaveLength(1)
    expect(watchdog.incidents('forks')).toEqual([])
    await kill('forks')
    await watchdog.untilWell('forks', 2)
    await firstSign('forks')
    expect(watchdog.incidents('forks')).toHaveLength(1)
  })

  it('a service that is well is started again by hand, which is an event and counts as no restart', async () => {
    await watchdog.untilWell('hand')
    await watchdog.signal('hand', 'restart')
    await watchdog.untilWell('hand', 2)
    await until(
      'the end of it',
      () => watchdog.card('hand'),
      ({ state }) => state === 'running',
    )
    expect(await watchdog.card('hand')).toMatchObject({ restarts: 0, incident: null, attention: null })
    expect(watchdog.incidents('hand')).toEqual([])
    const [, pid] = watchdog.starts('hand')
    const said = watchdog.events().filter((event) => 'service' in event && event.service === 'hand')
    expect(said).toMatchObject([
      { kind: 'service-restarted', incident: null, attempt: 'restart by hand', pid },
    ])
  })

  it('law 10: a service that keeps failing is reported to a person, and retried later and later', async () => {
    const card = await until(
      'a notice to a person',
      () => watchdog.card('circles'),
      ({ attention }) => attention !== null,
    )
    // How many they were by now depends on when the notice was seen; policy/watchdog has the limit.
    expect(card.attention).toMatch(/[2-9] restarts did not help: it ended with exit code 7/)
    expect(card.incident).not.toBeNull()
    watchdog.mode('circles', '')
    await watchdog.untilWell('circles', 4)
    await until(
      'the end of it',
      () => watchdog.card('circles'),
      ({ state, incident }) => state === 'running' && incident === null,
    )
    await firstSign('circles')
    expect(watchdog.incidents('circles')).toHaveLength(1)
  })

  it("law 9: the seed's morning: the loop is gone, and a bot that goes on with its heartbeat proves nothing", async () => {
    await watchdog.untilWell('morning')
    const bot = setInterval(() => {
      const beat = { by: 'bot', pid: process.pid, at: new Date().toISOString() }
      writeFileSync(watchdog.path('morning', 'beat'), JSON.stringify(beat))
    }, 50)
    await kill('morning')
    await until(
      'the next loop',
      () => Promise.resolve(watchdog.starts('morning')),
      (starts) => starts.length === 2,
    )
    // It lives, and the bot overwrites its heartbeats: a loop that cannot prove its life is not believed
    // either.
    clearInterval(bot)
    await watchdog.untilWell('morning', 2)
    expect(await firstSign('morning')).toMatch(/^missing: .*signal 9/)
  })

  it('law 6: a heartbeat file that is deleted is written again; one that cannot be read kills nothing', async () => {
    await watchdog.untilWell('blind')
    watchdog.remove('blind', 'beat')
    await watchdog.untilWell('blind')
    watchdog.remove('blind', 'beat')
    mkdirSync(watchdog.path('blind', 'beat'))
    writeFileSync(watchdog.path('blind', 'beat/stone'), '')
    await until(
      'a blind look',
      () => Promise.resolve(watchdog.lastCheck('blind')),
      (look) => look?.verdict === 'blind',
    )
    expect((await watchdog.check('blind')).verdict).toBe('blind')
    watchdog.remove('blind', 'beat')
    await watchdog.untilWell('blind')
    expect(watchdog.starts('blind')).toHaveLength(1)
  })

  it('law 6: a silent service whose files grow is busy and left alone; when they stop it is frozen', async () => {
    await watchdog.untilWell('busy')
    const work = setInterval(() => watchdog.grow('busy', 'work.log'), 100)
    watchdog.mode('busy', `quiet ${watchdog.starts('busy')[0]!}`)
    await until(
      'busy',
      () => Promise.resolve(watchdog.lastCheck('busy')),
      (look) => look?.verdict === 'busy',
    )
    const { service } = await watchdog.check('busy')
    expect(service.state).toBe('busy')
    const busy = watchdog.events().filter(({ kind }) => kind === 'service-busy')
    expect(busy).toMatchObject([{ service: 'busy', why: expect.any(String) as string }])
    expect(watchdog.starts('busy')).toHaveLength(1)
    clearInterval(work)
    await watchdog.untilWell('busy', 2)
    expect(await firstSign('busy')).toMatch(/nothing shows that it works/)
  })

  it('a service that others start is found by its pid file, and never by an older file than its process', async () => {
    const start = () =>
      spawn(
        process.execPath,
        [
          '-e',
          `
      const { writeFileSync } = require('node:fs')
      writeFileSync('pid', String(process.pid))
      setInterval(() => writeFileSync('beat', JSON.stringify({ by: 'watched', pid: process.pid, at: new Date().toISOString() })), 100)
    `,
        ],
        { cwd: watchdog.path('watched', '.'), stdio: 'ignore' },
      )
    await until(
      'a notice to a person',
      () => watchdog.card('watched'),
      ({ attention }) => attention !== null,
    )
    const child = start()
    try {
      await until(
        'its return',
        () => watchdog.card('watched'),
        ({ state, incident }) => state === 'running' && incident === null,
      )
      expect((await watchdog.check('watched')).service.pid).toBe(child.pid)
    } finally {
      child.kill('SIGKILL')
    }
    await until(
      'the next incident',
      () => watchdog.card('watched'),
      ({ incident }) => incident !== null,
    )
  })

  it('law 8: a service that is well adds nothing to the history, however often it is checked', async () => {
    await watchdog.untilWell('calm')
    const before = await watchdog.historyLength('calm')
    const { at } = watchdog.lastCheck('calm')!
    await until(
      'ten more checks',
      () => Promise.resolve(watchdog.lastCheck('calm')!),
      (look) => Date.parse(look.at) > Date.parse(at) + 10_000,
    )
    expect(await watchdog.historyLength('calm')).toBe(before)
  })
})

/** A report is closed once the service is well, which may be a little later than it is seen to be. */
const firstSign = (service: string): Promise<string | undefined> =>
  until(
    `the incident of ${service}`,
    () => Promise.resolve(watchdog.incidents(service)[0]?.timeline[0]?.what),
    (what) => what !== undefined,
  )

describe('law 7: the worker dies', () => {
  it('law 7: and comes back: what lives is recognised, what died meanwhile is started once, what is paused is left alone', async () => {
    await watchdog.untilWell('twice')
    await watchdog.signal('calm', 'pause')
    await until(
      'the pause',
      () => watchdog.card('calm'),
      ({ state }) => state === 'paused',
    )
    await kill('calm')
    const before = watchdog.starts('exits')
    await watchdog.stopWorker()
    await kill('twice')
    await watchdog.startWorker()
    await watchdog.untilWell('twice', 2)
    expect(watchdog.starts('exits')).toEqual(before)
    expect(await watchdog.alive('calm')).toEqual([])
    await watchdog.signal('calm', 'resume')
    await watchdog.untilWell('calm', 2)
  })

  it('a service that is no longer configured is ended with its watchdog', async () => {
    const [pid] = await watchdog.alive('twice')
    const ref = { pid: pid!, start: (await processStart(pid!))! }
    await watchdog.stopWorker()
    await watchdog.startWorker((text) => text.replace('name: twice', 'name: renamed'))
    await until(
      'its end',
      () => isAlive(ref),
      (alive) => !alive,
    )
    await until(
      'the end of its watchdog',
      () => watchdog.isRunning('twice'),
      (running) => !running,
    )
  })

  it('law 7: two processes of one service never lived at the same time', () => {
    expect(watching.stop()).toEqual([])
  })
})
