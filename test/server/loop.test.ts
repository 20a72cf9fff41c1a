/** The loop on the real engine's schedules, with the real command, worker and programs. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Connection, type ScheduleClient } from '@temporalio/client'
import { parse, stringify } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openHome } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import type { TaskView } from '../../policy/tasks/tasks.js'
import { processStart } from '../../host/process/processes.js'
import { sealedClient } from '../../lab/engine/sealed.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'

let fleet: Fleet

const sh = (script: string) => ['/bin/sh', '-c', script]

beforeAll(async () => {
  fleet = await startFleet({
    accounts: ['max-1'],
    config: {
      tasks: [
        { name: 'tick', every: '1s', run: sh('echo tick >> ticks'), keep: 3 },
        { name: 'good', every: '10d', run: sh('echo "said $WORD"'), env: { WORD: { fromFile: 'word' } } },
        { name: 'bad', every: '10d', run: sh('echo because >&2; exit 4') },
        { name: 'slow', every: '10d', run: sh('echo $$ > slow.pid; exec sleep 60'), timeout: '2s' },
        { name: 'long', every: '10d', run: sh('echo $$ >> long.pids; exec sleep 60') },
        { name: 'idle', every: '1s', run: ['true'] },
      ],
    },
  })
  writeFileSync(join(fleet.dir, 'word'), 'a secret word\n')
  await fleet.up()
})
afterAll(() => fleet.close())

const view = async (name: string): Promise<TaskView> =>
  (await fleet.json<TaskView[]>('tasks')).find((task) => task.name === name)!
const untilTask = (name: string, wanted: (task: TaskView) => boolean) =>
  until(`task ${name}`, () => view(name), wanted)
async function withSchedules<T>(use: (schedule: ScheduleClient) => Promise<T>): Promise<T> {
  const { address, namespace } = readEngine(openHome(fleet.env))!
  const connection = await Connection.connect({ address })
  try {
    return await use(sealedClient(openHome(fleet.env), connection, namespace).schedule)
  } finally {
    await connection.close()
  }
}
const schedules = (): Promise<string[]> =>
  withSchedules((schedule) =>
    until(
      'the list of schedules',
      async () => {
        const found: string[] = []
        for await (const { scheduleId } of schedule.list()) found.push(scheduleId)
        return found
      },
      (found) => found.length === 1,
    ),
  )
const lines = (file: string): string[] =>
  existsSync(join(fleet.dir, file)) ? readFileSync(join(fleet.dir, file), 'utf8').trim().split('\n') : []
const results = (task: string): string[] => readdirSync(join(fleet.dir, 'state', 'tasks', task, 'results'))

describe('tasks on their schedules', () => {
  it('run when they are due, again and again, and report it', async () => {
    await until(
      'three ticks',
      () => Promise.resolve(lines('ticks')),
      (ticks) => ticks.length >= 3,
    )
    // On a busy machine a run may begin after the next one was due.
    const tick = await untilTask(
      'tick',
      ({ lastResult, lastRunAt, nextRunAt }) =>
        lastResult !== null && Date.parse(nextRunAt ?? '') > Date.parse(lastRunAt ?? ''),
    )
    expect(tick).toMatchObject({ every: '1s', failures: 0, paused: false, attention: null })
    expect(tick.lastResult).toMatchObject({ ok: true, error: null })
  })

  it('run on demand; the command waits, and shows where the output is kept', async () => {
    const { code, stdout } = await fleet.run('run', 'good')
    expect(code).toBe(0)
    const file = stdout.trim().split('\n').at(-1)!
    expect(readFileSync(file, 'utf8')).toBe('said [secret]\n')
  })

  it('a failed run is recorded with its reason, and three in a row notify a person', async () => {
    for (const times of [1, 2, 3]) {
      const { code, stderr } = await fleet.run('run', 'bad')
      expect(code).toBe(1)
      expect(stderr).toContain('bad failed: it ended with exit code 4')
      const task = await untilTask('bad', ({ failures }) => failures === times)
      expect(task.lastResult).toMatchObject({ ok: false, error: 'it ended with exit code 4' })
      expect(task.attention === null).toBe(times < 3)
    }
    expect(
      readFileSync(join(fleet.dir, 'state', 'tasks', 'bad', 'results', results('bad')[0]!), 'utf8'),
    ).toBe('because\n')
  })

  it('one that takes too long is ended with everything that it started', async () => {
    const { code, stderr } = await fleet.run('run', 'slow')
    expect(code).toBe(1)
    expect(stderr).toContain('it did not end within 2 s')
    expect(await processStart(Number(lines('slow.pid')[0]))).toBeNull()
  })

  it('never run twice at the same time', async () => {
    expect((await fleet.run('run', 'long', '--detach')).code).toBe(0)
    await until(
      'the run',
      () => Promise.resolve(lines('long.pids')),
      (pids) => pids.length === 1,
    )
    const { stderr } = await fleet.run('run', 'long', '--detach')
    expect(stderr).toContain('was already running')
    expect(lines('long.pids')).toHaveLength(1)
    expect((await view('long')).running).toBe(true)
  })

  it('do not run while they are paused, also over a restart of the worker', async () => {
    await untilTask('idle', ({ lastResult }) => lastResult !== null)
    expect((await fleet.run('tasks', '--pause', 'idle')).code).toBe(0)
    await untilTask('idle', ({ paused, nextRunAt }) => paused && nextRunAt === null)
    expect((await fleet.run('tasks', '--pause', 'no-such')).code).toBe(2)
  })

  it('ask the engine to catch up on what was missed, for as long as `catchUp` says, and never to run two at once', async () => {
    const policies = await withSchedules(
      async (schedule) => (await schedule.getHandle('loop/good').describe()).policies,
    )
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 600_000 })
  })

  it('law 7: killed with the worker in the middle of a run, they are recorded, and leave no program behind', async () => {
    const [first] = lines('long.pids')
    await fleet.down('SIGKILL')
    await fleet.up()
    const task = await untilTask('long', ({ running }) => !running)
    expect(task.lastResult).toMatchObject({ ok: false, error: 'its worker ended while it ran' })
    expect((await view('idle')).paused).toBe(true)
    expect((await fleet.run('run', 'long', '--detach')).code).toBe(0)
    await until(
      'the next run',
      () => Promise.resolve(lines('long.pids')),
      (pids) => pids.length === 2,
    )
    expect(await processStart(Number(first))).toBeNull()
  })

  it('follow the configuration at the next start, and are removed with it', async () => {
    await fleet.down()
    const file = join(fleet.dir, 'outpool.yaml')
    const config = parse(readFileSync(file, 'utf8')) as { tasks: { name: string; every: string }[] }
    config.tasks = config.tasks
      .filter(({ name }) => name === 'tick')
      .map((task) => ({ ...task, every: '7d' }))
    writeFileSync(file, stringify(config))
    await fleet.up()
    expect(await fleet.json<TaskView[]>('tasks')).toMatchObject([{ name: 'tick', every: '7d' }])
    expect((await fleet.run('run', 'good')).stderr).toContain('there is no task good')
    expect(await schedules()).toEqual(['loop/tick'])
    expect(results('tick').length).toBeLessThanOrEqual(3)
  })
})
