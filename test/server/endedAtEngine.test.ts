/**
 * Law 5 and 15: what another user of the machine ends at the engine goes on, with a real `outpool up` and sessions whose agents are
 * stubs; and the keys that seal what is stored there outlive whatever they are needed for.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import proto from '@temporalio/proto'
import { beforeAll, describe, expect, it } from 'vitest'
import { keyIdOf } from '../../config/seal/codec.js'
import {
  fileText,
  idOfEntry,
  type KeyEntry,
  newEntry,
  readKeyEntries,
  readSealKeys,
} from '../../config/seal/keys.js'
import { openText } from '../../config/seal/sealedText.js'
import { readStoredSession } from '../../config/state/storedSessions.js'
import { suspend } from '../../lab/machine/suspend.js'
import { until } from '../../lab/until.js'
import { poolWorkflowId, sessionWorkflowId } from '../../policy/ids.js'
import { byNight } from '../byNight.js'
import { namespace, plain } from './attacker.js'
import { poolQueries, sessionQueries } from '../../workflows/messages.js'
import {
  attacker,
  describeSession,
  expectUnharmed,
  sessionInput,
  shareAttackedFleet,
  stub,
} from './attackedFleet.js'

const { EventType } = proto.temporal.api.enums.v1

const rereadWithin = 8 * 60_000

shareAttackedFleet()

beforeAll(async () => {
  const started = await stub.fleet.run('start', 'planted', '--cwd', stub.fleet.world.cwd, '--', 'Hello.')
  expect(started).toMatchObject({ code: 0 })
  await stub.fleet.untilSession('planted', ({ phase }) => phase === 'idle')
})

describe('law 5 and 15: whatever an attacker ends at the engine goes on', () => {
  const processOf = (sessionId: string) =>
    stub.agents(['max-1']).flatMap((agent) => (agent.sessionId === sessionId ? [agent.pid] : []))
  /** The newest run is another one than before, ours, and watches the agent. */
  const untilRestored = async (name: string, before: string): Promise<void> => {
    const isBack = async (): Promise<boolean> => {
      const { workflowExecutionInfo, pendingActivities } = await attacker.describeRaw(sessionWorkflowId(name))
      if (workflowExecutionInfo?.execution?.runId === before) return false
      return pendingActivities.some(({ activityType }) => activityType?.name === 'watchAgent')
    }
    await until(`session ${name} to go on`, isBack, (found) => found)
  }
  const runOf = async (name: string): Promise<string> =>
    (await attacker.describeRaw(sessionWorkflowId(name))).workflowExecutionInfo?.execution?.runId ?? ''
  const leases = async (): Promise<string[]> => {
    const { accounts } = await stub.client.workflow
      .getHandle(poolWorkflowId('main'))
      .query(poolQueries.describe)
    return accounts.find(({ name }) => name === 'max-1')?.leases ?? []
  }
  /** Waits in a parked session. */
  const kept = 'Not lost either.'
  /** One that is parked for its only account, and one that a person has paused. */
  const startInactive = async (suffix: string): Promise<[parked: string, paused: string]> => {
    const [parked, paused] = [`parked-${suffix}`, `paused-${suffix}`]
    const cwd = stub.fleet.world.cwd
    const pin = ['--account', 'max-2', '--pin']
    expect(await stub.fleet.run('start', parked, '--cwd', cwd, ...pin, '--', 'Hello.')).toMatchObject({
      code: 0,
    })
    expect((await stub.fleet.run('send', parked, kept)).code).toBe(0)
    expect(await stub.fleet.run('start', paused, '--cwd', cwd, '--', 'Hello.')).toMatchObject({ code: 0 })
    await stub.fleet.untilSession(parked, ({ phase }) => phase === 'parked')
    await stub.fleet.untilSession(paused, ({ phase }) => phase === 'idle')
    expect((await stub.fleet.run('pause', paused)).code).toBe(0)
    return [parked, paused]
  }
  /** The part of a session without a process that must not change. */
  const asItIs = async (name: string) => {
    const { phase, sessionId, cwd, account, pinnedTo, startedAt, rescueLog } = await describeSession(name)
    return { phase, sessionId, cwd, account, pinnedTo, startedAt, rescueLog }
  }
  const untilBack = async (name: string, before: string): Promise<void> => {
    const run = () => runOf(name).catch(() => before)
    await until(`session ${name} to be back`, run, (found) => found !== before)
  }
  /** A parked one asks the pool again, and is `starting` meanwhile. */
  const untilAsBefore = (name: string, before: unknown) =>
    until(
      `${name} as it was: ${JSON.stringify(before)}`,
      () => asItIs(name),
      (state) => isDeepStrictEqual(state, before),
    )
  const backlogOf = (name: string) =>
    stub.client.workflow.getHandle(sessionWorkflowId(name)).query(sessionQueries.backlog)

  it('law 5: terminated sessions and their pool: the same process, the same conversation, no text lost', async () => {
    const [alpha, beta] = [await describeSession('alpha'), await describeSession('beta')]
    const before = { alpha: await runOf('alpha'), beta: await runOf('beta') }
    const processes = processOf(alpha.sessionId)
    expect((await stub.fleet.run('send', 'beta', 'Not lost.')).code).toBe(0)
    const planted = await runOf('planted')
    const captured = await attacker.startInput(sessionWorkflowId('planted'))
    for (const id of [...['alpha', 'beta', 'planted'].map(sessionWorkflowId), poolWorkflowId('main')])
      await attacker.client.workflow.getHandle(id).terminate('Mine now.')
    // What would be in the way: a workflow of a stranger, and our own start, captured and played again.
    await attacker.startRaw(sessionWorkflowId('alpha'), 'session', [plain(sessionInput('alpha'))], 'unpolled')
    await attacker.startRaw(sessionWorkflowId('planted'), 'session', captured)
    await untilRestored('alpha', before.alpha)
    await untilRestored('beta', before.beta)
    await untilRestored('planted', planted)
    // What was started in its place may have got another lease, or have given this one up.
    await until(
      'the lease of planted',
      async () => (await leases()).includes('planted'),
      (isHeld) => isHeld,
    )
    await until(
      'beta with its text',
      async () => (await describeSession('beta')).sessionId,
      (sessionId) => sessionId === beta.sessionId,
    )
    expect(await describeSession('alpha')).toMatchObject({
      ...{ sessionId: alpha.sessionId, cwd: alpha.cwd, account: alpha.account, startedAt: alpha.startedAt },
    })
    const transcript = join(stub.configDir('max-1'), 'projects', 'stub', `${beta.sessionId}.jsonl`)
    const said = () => Promise.resolve(readFileSync(transcript, 'utf8').split('Not lost.').length - 1)
    await until('the text', said, (times) => times > 0)
    expect(await said()).toBe(1)
    expect(processOf(alpha.sessionId)).toEqual(processes)
    expect(await attacker.statusOf(poolWorkflowId('main'))).toBe('RUNNING')
    const events = await stub.fleet.run('events', '--kind', 'session-restored')
    expect(events.stdout).toMatch(/alpha: its workflow was terminated at the engine/)
    expect(events.stdout).toMatch(/beta: its workflow was terminated at the engine/)
    expect(stub.fleet.log()).toContain(`${poolWorkflowId('main')} was terminated at the engine`)
    await expectUnharmed()
  })

  it('law 5: a session that is set back to an earlier point, where no result fits any more', async () => {
    const { sessionId } = await describeSession('alpha')
    const events = await attacker.eventsOf(sessionWorkflowId('alpha'))
    const finished = events.find(
      ({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    )
    const { runId } = await attacker.connection.workflowService.resetWorkflowExecution({
      ...{ namespace, workflowExecution: { workflowId: sessionWorkflowId('alpha') } },
      ...{ requestId: 'attack', reason: 'Mine now.' },
      workflowTaskFinishEventId: finished?.eventId ?? null,
    })
    await untilRestored('alpha', runId)
    expect((await describeSession('alpha')).sessionId).toBe(sessionId)
    expect(processOf(sessionId)).toHaveLength(1)
  })

  it('law 5: a parked and a paused session that are terminated: as they were, with their texts', async () => {
    const names = await startInactive('ended')
    const before = new Map<string, { run: string; is: Awaited<ReturnType<typeof asItIs>> }>()
    for (const name of names) before.set(name, { run: await runOf(name), is: await asItIs(name) })
    for (const name of names)
      await attacker.client.workflow.getHandle(sessionWorkflowId(name)).terminate('Mine now.')
    for (const [name, { run, is }] of before) {
      await untilBack(name, run)
      await untilAsBefore(name, is)
      expect(processOf(is.sessionId)).toEqual([])
    }
    expect(await backlogOf(names[0])).toEqual({ texts: 1, characters: 16 })
    expect((await stub.fleet.run('resume', names[1])).code).toBe(0)
    await stub.fleet.untilSession(names[1], ({ phase }) => phase === 'idle')
  })

  it(
    'law 5: a parked, a paused and a stopped session that are deleted: as they were, and one that a person forgot is not',
    async () => {
      const [parked, paused] = await startInactive('gone')
      for (const name of ['stopped-gone', 'forgotten']) {
        const started = await stub.fleet.run('start', name, '--cwd', stub.fleet.world.cwd, '--', 'Hello.')
        expect(started).toMatchObject({ code: 0 })
        await stub.fleet.untilSession(name, ({ phase }) => phase === 'idle')
        expect((await stub.fleet.run('stop', name)).code).toBe(0)
      }
      const names = [parked, paused, 'stopped-gone']
      const states = await Promise.all(names.map(asItIs))
      const runs = await Promise.all(names.map(runOf))
      const keys = readSealKeys(stub.home)
      const isStored = (name: string, run: string): boolean => {
        const state = readStoredSession(stub.home, name)
        if (state === null || !('sealed' in state) || state.runId !== run) return false
        const opened = JSON.stringify(openText(keys, namespace, state.sealed))
        return name !== parked || opened.includes(kept)
      }
      await until(
        'the kept states',
        () => Promise.resolve(names.every((name, index) => isStored(name, runs[index] ?? ''))),
        (all) => all,
        // A state that was read just before the text came is read again after five minutes.
        rereadWithin,
      )
      const file = readFileSync(join(stub.home.sessions, parked, 'state.json'), 'utf8')
      expect(file).not.toContain(kept)
      expect((await stub.fleet.run('forget', 'forgotten')).code).toBe(0)
      // A worker that looks while they are being deleted finds them terminated.
      const worker = stub.fleet.workerPid() ?? 0
      await suspend(worker)
      try {
        for (const [index, name] of names.entries())
          await attacker.connection.workflowService.deleteWorkflowExecution({
            ...{
              namespace,
              workflowExecution: { workflowId: sessionWorkflowId(name), runId: runs[index] ?? '' },
            },
          })
        const isGone = (name: string) =>
          attacker.describeRaw(sessionWorkflowId(name)).then(
            () => false,
            () => true,
          )
        await until(
          'the deletion',
          async () => (await Promise.all([...names, 'forgotten'].map(isGone))).every(Boolean),
          (all) => all,
        )
      } finally {
        process.kill(worker, 'SIGCONT')
      }
      for (const [index, name] of names.entries()) {
        await untilBack(name, runs[index] ?? '')
        await untilAsBefore(name, states[index])
        const events = await stub.fleet.run('events', '--kind', 'session-restored', '--session', name)
        expect(events.stdout).toContain('its workflow was deleted at the engine')
      }
      expect(await attacker.statusOf(sessionWorkflowId('stopped-gone'))).toBe('COMPLETED')
      expect(await backlogOf(parked)).toEqual({ texts: 1, characters: 16 })
      // All of them were looked at in the same round.
      await expect(attacker.describeRaw(sessionWorkflowId('forgotten'))).rejects.toThrow(/not found/)
      for (const name of [paused, 'stopped-gone']) {
        expect((await stub.fleet.run('resume', name)).code).toBe(0)
        await stub.fleet.untilSession(name, ({ phase }) => phase === 'idle')
        const [process, ...others] = processOf((await describeSession(name)).sessionId)
        expect(process).toBeDefined()
        expect(others).toEqual([])
      }
      expect((await asItIs(paused)).sessionId).toBe(states[1]?.sessionId)
      expect((await asItIs('stopped-gone')).sessionId).toBe(states[2]?.sessionId)
    },
    2 * rereadWithin,
  )

  // A worker that looks meanwhile finds it terminated, which is how the engine begins to delete it. The watch of a workflow that is
  // gone ends at its next heartbeat, which takes minutes.
  byNight(
    'law 3 and 5: a session that is deleted: its conversation, in one process',
    async () => {
      const { sessionId } = await describeSession('alpha')
      const before = await runOf('alpha')
      const worker = stub.fleet.workerPid() ?? 0
      await suspend(worker)
      try {
        await attacker.connection.workflowService.deleteWorkflowExecution({
          ...{ namespace, workflowExecution: { workflowId: sessionWorkflowId('alpha'), runId: before } },
        })
        const isGone = () =>
          attacker.describeRaw(sessionWorkflowId('alpha')).then(
            () => false,
            () => true,
          )
        await until('the deletion', isGone, (gone) => gone)
      } finally {
        process.kill(worker, 'SIGCONT')
      }
      const restored = async () =>
        (await stub.fleet.run('events', '--kind', 'session-restored', '--session', 'alpha')).stdout
      const patience = 15 * 60_000
      await until('the event', restored, (said) => said.includes('was deleted at the engine'), patience)
      await untilRestored('alpha', before)
      expect((await describeSession('alpha')).sessionId).toBe(sessionId)
      expect(processOf(sessionId)).toHaveLength(1)
    },
    20 * 60_000,
  )
})

it('law 15: after all that, the sessions do what their owner says', async () => {
  const { accounts } = await stub.client.workflow
    .getHandle(poolWorkflowId('main'))
    .query(poolQueries.describe)
  expect(accounts).toMatchObject([
    { name: 'max-1', leases: expect.arrayContaining(['alpha', 'beta', 'planted']) as unknown },
    { name: 'max-2', leases: [] },
  ])
  expect((await stub.fleet.run('send', 'alpha', 'Go on.')).code).toBe(0)
  const alpha = stub.client.workflow.getHandle(sessionWorkflowId('alpha'))
  await until(
    'the text of the owner, taken',
    () => alpha.query(sessionQueries.backlog),
    ({ texts }) => texts === 0,
  )
  expect((await stub.fleet.run('stop', 'alpha')).code).toBe(0)
  await stub.fleet.untilSession('alpha', ({ phase }) => phase === 'stopped')
})

describe('law 5: keys that nothing needs any more', () => {
  interface Row {
    id: string
    removed: boolean
    why: string | null
    uses: string[]
  }
  const prune = async (env: Record<string, string>, ...args: string[]): Promise<Row[]> => {
    const { code, stdout, stderr } = await stub.fleet.runWith(env, 'key', 'prune', '--json', ...args)
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout) as Row[]
  }
  const longAgo = new Date(Date.now() - 60 * 24 * 60 * 60_000).toISOString()
  const rewrite = (change: (entries: KeyEntry[]) => KeyEntry[]): void =>
    writeFileSync(stub.home.sealKeys, fileText(change(readKeyEntries(stub.home))))

  it('law 5: are removed, and no other: not the current one, not one that sealed lately, not one that a stored message needs', async () => {
    const { current } = readSealKeys(stub.home)
    expect((await stub.fleet.run('key', 'rotate')).code).toBe(0)
    const newest = readSealKeys(stub.home).current.id
    const unused = newEntry(new Date(longAgo))
    const spent = { ...newEntry(new Date(longAgo)), until: longAgo }
    rewrite((entries) => [...entries, unused, spent])
    expect(await prune({}, '--dry-run')).toMatchObject([
      { id: newest, removed: false, why: 'current' },
      { id: current.id, removed: false, why: 'retention' },
      { id: idOfEntry(unused), removed: false, why: 'unused' },
      { id: idOfEntry(spent), removed: true },
    ])
    expect(readKeyEntries(stub.home)).toHaveLength(4)
    // As if the first one had not sealed for long: what the engine stores shows that it is needed all the same. Of an engine that
    // other hosts may use, everything is searched.
    rewrite((entries) =>
      entries.map((entry) => (idOfEntry(entry) === current.id ? { ...entry, until: longAgo } : entry)),
    )
    const before = (await attacker.describeRaw(poolWorkflowId('main'))).workflowExecutionInfo?.execution
      ?.runId
    const rows = await prune({ TEMPORAL_ADDRESS: stub.address })
    expect(rows.map(({ why, removed }) => [why, removed])).toEqual([
      ...[
        ['current', false],
        ['in-use', false],
        ['unused', false],
        [null, true],
      ],
    ])
    expect(rows[1]?.uses).toEqual(expect.arrayContaining([sessionWorkflowId('beta'), poolWorkflowId('main')]))
    expect(readKeyEntries(stub.home).map(idOfEntry)).toEqual([newest, current.id, idOfEntry(unused)])
    // What runs begins a new run, which is sealed with the current key.
    await until(
      'a new run of the pool',
      async () =>
        (await attacker.describeRaw(poolWorkflowId('main'))).workflowExecutionInfo?.execution?.runId,
      (runId) => runId !== before,
    )
    expect((await attacker.startInput(poolWorkflowId('main'))).map(keyIdOf)).toEqual([newest])
  })
})
