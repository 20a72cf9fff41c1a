/** The watchdog on real processes, real tmux and a real engine: each way in which a service can fail, at once. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive, startOf } from '../../host/process/processes.js'
import { until } from '../../lab/until.js'
import { Guarded } from './watchdogSupport.js'

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
]

let guarded: Guarded
let watching: ReturnType<Guarded['watchDoubles']>

beforeAll(async () => {
  guarded = await Guarded.open([
    ...names.slice(0, 3).map((name) => ({ name })),
    { name: 'forks', mode: 'fork' },
    { name: 'circles', mode: 'exit 7', config: { restarts: { limit: 2, within: '1m', pause: '1s' } } },
    ...['morning', 'blind', 'twice'].map((name) => ({ name })),
    { name: 'busy', config: { busyCheck: { files: ['busy/*.log'], within: '4s' } } },
    { name: 'calm', config: { every: '1s' } },
    { name: 'watched', config: { pidFile: 'watched/pid' } },
  ])
  await guarded.startWorker()
  watching = guarded.watchDoubles(names)
}, 120_000)

afterAll(async () => {
  watching.stop()
  await guarded.close(names)
}, 60_000)

const kill = async (name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
  const [pid] = await guarded.alive(name)
  process.kill(pid!, signal)
}

describe.concurrent('law 6: each failure has its own answer', () => {
  it('a service that exits is started anew, and its last output is kept', async () => {
    await guarded.untilWell('exits')
    guarded.mode('exits', 'exit 3')
    await until(
      'its end',
      () => guarded.alive('exits'),
      (alive) => alive.length === 0,
    )
    guarded.mode('exits', '')
    await guarded.untilWell('exits', 2)
    const [incident] = await until(
      'the report',
      () => Promise.resolve(guarded.incidents('exits')),
      ([one]) => one?.outcome === 'recovered',
    )
    expect(incident?.timeline[0]?.what).toContain('exit code 3')
    expect(incident?.evidence[0]?.text).toContain('leaving with 3')
  })

  it('a service that hangs, and does not listen to TERM, is killed and started anew', async () => {
    await guarded.untilWell('hangs')
    const [first] = guarded.starts('hangs')
    guarded.mode('hangs', 'deaf')
    await until(
      'its end',
      () => startOf(first!),
      (start) => start === null,
    )
    guarded.mode('hangs', '')
    await guarded.untilWell('hangs', 2)
    expect(await firstSign('hangs')).toMatch(/^frozen: /)
  })

  it('a service that spins is found by its beat, not by its being there', async () => {
    await guarded.untilWell('spins')
    const [first] = guarded.starts('spins')
    guarded.mode('spins', 'spin')
    await until(
      'its end',
      () => startOf(first!),
      (start) => start === null,
    )
    guarded.mode('spins', '')
    await guarded.untilWell('spins', 2)
  })

  it('a service that forks away is recognised by its descendant, and ended with it', async () => {
    await guarded.untilWell('forks')
    expect(guarded.starts('forks')).toHaveLength(1)
    expect(guarded.incidents('forks')).toEqual([])
    await kill('forks')
    await guarded.untilWell('forks', 2)
    await firstSign('forks')
    expect(guarded.incidents('forks')).toHaveLength(1)
  })

  it('law 10: a service that restarts in a circle is told to a person, and tried again later and later', async () => {
    const card = await until(
      'a word to a person',
      () => guarded.card('circles'),
      ({ attention }) => attention !== null,
    )
    expect(card.attention).toMatch(/2 restarts did not help: it ended with exit code 7/)
    expect(card.incident).not.toBeNull()
    guarded.mode('circles', '')
    await guarded.untilWell('circles', 4)
    await until(
      'the end of it',
      () => guarded.card('circles'),
      ({ state, incident }) => state === 'running' && incident === null,
    )
    await firstSign('circles')
    expect(guarded.incidents('circles')).toHaveLength(1)
  })

  it("law 9: the seed's morning: the loop is gone, and a bot that goes on with its heartbeat proves nothing", async () => {
    await guarded.untilWell('morning')
    const bot = setInterval(() => {
      const beat = { by: 'bot', pid: process.pid, at: new Date().toISOString() }
      writeFileSync(guarded.path('morning', 'beat'), JSON.stringify(beat))
    }, 50)
    await kill('morning')
    await until(
      'the next loop',
      () => Promise.resolve(guarded.starts('morning')),
      (starts) => starts.length === 2,
    )
    // It lives, and the bot writes over its beats: a loop that cannot prove its life is not believed in either.
    clearInterval(bot)
    await guarded.untilWell('morning', 2)
    expect(await firstSign('morning')).toMatch(/^missing: .*signal 9/)
  })

  it('law 6: a heartbeat file that is deleted is written again; one that cannot be read kills nothing', async () => {
    await guarded.untilWell('blind')
    guarded.remove('blind', 'beat')
    await guarded.untilWell('blind')
    guarded.remove('blind', 'beat')
    mkdirSync(guarded.path('blind', 'beat'))
    writeFileSync(guarded.path('blind', 'beat/stone'), '')
    await until(
      'a blind look',
      () => Promise.resolve(guarded.look('blind')),
      (look) => look?.verdict === 'blind',
    )
    expect((await guarded.check('blind')).verdict).toBe('blind')
    guarded.remove('blind', 'beat')
    await guarded.untilWell('blind')
    expect(guarded.starts('blind')).toHaveLength(1)
  })

  it('law 6: a silent service whose files grow is busy and left alone; when they stop it is frozen', async () => {
    await guarded.untilWell('busy')
    const work = setInterval(() => guarded.grow('busy', 'work.log'), 100)
    guarded.mode('busy', `quiet ${guarded.starts('busy')[0]!}`)
    await until(
      'busy',
      () => Promise.resolve(guarded.look('busy')),
      (look) => look?.verdict === 'busy',
    )
    const { service } = await guarded.check('busy')
    expect(service.state).toBe('busy')
    expect(guarded.starts('busy')).toHaveLength(1)
    clearInterval(work)
    await guarded.untilWell('busy', 2)
    expect(await firstSign('busy')).toMatch(/nothing shows that it works/)
  })

  it('what is only watched is found by its pid file, and never by an older file than its process', async () => {
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
        { cwd: guarded.path('watched', '.'), stdio: 'ignore' },
      )
    await until(
      'a word to a person',
      () => guarded.card('watched'),
      ({ attention }) => attention !== null,
    )
    const child = start()
    try {
      await until(
        'its return',
        () => guarded.card('watched'),
        ({ state, incident }) => state === 'running' && incident === null,
      )
      expect((await guarded.check('watched')).service.pid).toBe(child.pid)
    } finally {
      child.kill('SIGKILL')
    }
    await until(
      'the next incident',
      () => guarded.card('watched'),
      ({ incident }) => incident !== null,
    )
  })

  it('law 8: a service that is well adds nothing to the history, however often it is looked at', async () => {
    await guarded.untilWell('calm')
    const before = await guarded.historyLength('calm')
    const { at } = guarded.look('calm')!
    await until(
      'ten more looks',
      () => Promise.resolve(guarded.look('calm')!),
      (look) => Date.parse(look.at) > Date.parse(at) + 10_000,
    )
    expect(await guarded.historyLength('calm')).toBe(before)
  })
})

/** A report is closed once the service is well, which may be a little later than it is seen to be. */
const firstSign = (service: string): Promise<string | undefined> =>
  until(
    `the incident of ${service}`,
    () => Promise.resolve(guarded.incidents(service)[0]?.timeline[0]?.what),
    (what) => what !== undefined,
  )

describe('law 7: the worker goes', () => {
  it('law 7: and comes back: what lives is recognised, what died meanwhile is started once, what is paused is left alone', async () => {
    await guarded.untilWell('twice')
    await guarded.signal('calm', 'pause')
    await until(
      'the pause',
      () => guarded.card('calm'),
      ({ state }) => state === 'paused',
    )
    await kill('calm')
    const before = guarded.starts('exits')
    await guarded.stopWorker()
    await kill('twice')
    await guarded.startWorker()
    await guarded.untilWell('twice', 2)
    expect(guarded.starts('exits')).toEqual(before)
    expect(await guarded.alive('calm')).toEqual([])
    await guarded.signal('calm', 'resume')
    await guarded.untilWell('calm', 2)
  })

  it('a service that is configured no more is ended with its watchdog', async () => {
    const [pid] = await guarded.alive('twice')
    const ref = { pid: pid!, start: (await startOf(pid!))! }
    await guarded.stopWorker()
    await guarded.startWorker((text) => text.replace('name: twice', 'name: renamed'))
    await until(
      'its end',
      () => isAlive(ref),
      (alive) => !alive,
    )
    await until(
      'the end of its watchdog',
      () => guarded.isRunning('twice'),
      (running) => !running,
    )
  })

  it('law 7: at no instant did two processes of one service live', () => {
    expect(watching.stop()).toEqual([])
  })
})
