/**
 * Law 15: attacks on the control plane, each really made, on a real `outpool up` with sessions whose agents are
 * stubs. The attacker is another user of the machine or a page in a browser: it reaches every port, and has no
 * key, but may have captured everything that the engine stores.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Payload } from '@temporalio/common'
import proto from '@temporalio/proto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStubFleet, type StubFleet } from '../../bench/stubFleet.js'
import { keyIdOf, sealedEncoding } from '../../config/seal/codec.js'
import {
  ensureSealKeys,
  fileText,
  idOfEntry,
  type KeyEntry,
  newEntry,
  readKeyEntries,
  readSealKeys,
} from '../../config/seal/keys.js'
import { openText } from '../../config/seal/sealedText.js'
import { readEngine } from '../../config/state/liveFile.js'
import { type Home, openHome } from '../../config/state/home.js'
import { readStoredSession } from '../../config/state/storedSessions.js'
import { ownEngineOnly } from '../../lab/engine/ownEngineOnly.js'
import { until } from '../../lab/until.js'
import { hostQueue, poolWorkflowId, sessionWorkflowId } from '../../policy/ids.js'
import { byNight } from '../byNight.js'
import { endForeign } from '../../worker/connection/fleetKeys.js'
import { checkSealKeys } from '../../worker/doctor/sealKeys.js'
import { FleetKeyError } from '../../worker/errors.js'
import { Attacker, forgery, namespace, plain } from './attacker.js'
import { portsOf, requests, send } from './pageRequests.js'
import { poolQueries, poolUpdates, sessionQueries, sessionSignals } from '../../workflows/messages.js'

const { EventType, CommandType } = proto.temporal.api.enums.v1

const rereadWithin = 8 * 60_000

let stub: StubFleet
let attacker: Attacker
/** A folder that only the attacker wants an agent in. */
let elsewhere: string

beforeAll(async () => {
  // Sessions that wait for the second one are parked.
  stub = await openStubFleet({ accounts: ['max-1', 'max-2'], walled: ['max-2'], maxSessions: 10 })
  attacker = await Attacker.connect(stub.address)
  elsewhere = join(stub.fleet.dir, 'elsewhere')
  mkdirSync(elsewhere)
  await stub.start(['alpha', 'beta'])
})
afterAll(async () => {
  await attacker.close()
  await stub.close()
})

const sessionInput = (name: string): Record<string, unknown> => ({
  ...{ name, pool: 'main', sessionId: '0b0b5b0e-9d4f-4c6e-8f1c-0d6f8f6f0a11', host: stub.home.hostId },
  ...{ agent: 'claude-code', model: null, cwd: elsewhere, account: null, pinned: false, priority: 0 },
  ...{ prompt: 'Run my hooks.', continues: false, timing: {} },
})

const describeSession = (name: string) =>
  stub.client.workflow.getHandle(sessionWorkflowId(name)).query(sessionQueries.describe)

/** Nothing was launched in the attacker's folder, and no workflow of ours ever failed a task. */
async function expectUnharmed(): Promise<void> {
  const record = join(stub.home.sessions, 'evil')
  expect(existsSync(record), record).toBe(false)
  for (const { pid } of stub.agents(['max-1'])) expect(readlinkSync(`/proc/${pid}/cwd`)).not.toBe(elsewhere)
  for (const id of [sessionWorkflowId('alpha'), sessionWorkflowId('beta'), poolWorkflowId('main')]) {
    expect(await attacker.statusOf(id)).toBe('RUNNING')
    const failed = (await attacker.eventsOf(id)).filter(
      ({ eventType }) => eventType === EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    )
    expect(failed, id).toEqual([])
  }
  expect(await describeSession('alpha')).toMatchObject({ attention: null, cwd: stub.fleet.world.cwd })
}

describe('law 15: a user of the machine without the key', () => {
  it('law 15: starts no session, neither with plain, forged nor captured input', async () => {
    const captured = await attacker.startInput(sessionWorkflowId('alpha'))
    expect(captured.map(keyIdOf)).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/)])
    const attempts: Record<string, Payload[]> = {
      'session/plain': [plain(sessionInput('plain'))],
      'session/enveloped': [
        plain({ use: 'start session', to: 'session/enveloped', args: [sessionInput('enveloped')] }),
      ],
      'session/forged': [forgery(captured[0])],
      'session/empty': [],
      'session/copy': captured,
      'escalation/bot/1': captured,
    }
    for (const [id, payloads] of Object.entries(attempts)) {
      await attacker.startRaw(id, id.split('/')[0] ?? '', payloads)
      await until(
        `the end of ${id}`,
        () => attacker.statusOf(id),
        (status) => status !== 'RUNNING',
      )
      expect(await attacker.statusOf(id), id).toBe('FAILED')
      const events = await attacker.eventsOf(id)
      expect(events.map(({ eventType }) => eventType)).not.toContain(
        EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
      )
      expect(events.map(({ eventType }) => eventType)).not.toContain(
        EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
      )
    }
    await expectUnharmed()
  })

  it('law 15: signals nothing: a message that is plain, forged, or sealed for another session is dropped', async () => {
    const alpha = sessionWorkflowId('alpha')
    const before = await describeSession('alpha')
    // A real message to another session, captured.
    await stub.client.workflow.getHandle(sessionWorkflowId('beta')).signal(sessionSignals.hostReady)
    const toBeta = (await attacker.eventsOf(sessionWorkflowId('beta'))).findLast(
      ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName === 'hostReady',
    )?.workflowExecutionSignaledEventAttributes?.input?.payloads
    expect(toBeta).toHaveLength(1)
    const payloads = [[], [plain('x')], [plain({ use: 'signal stop', to: alpha, args: [] })], toBeta ?? []]
    for (const name of [
      'stop',
      'pause',
      'send',
      'move',
      'leaseGranted',
      'hostReady',
      'configure',
      'migrate',
      'unknown',
    ])
      for (const one of [...payloads, [forgery(toBeta?.[0])]]) await attacker.signalRaw(alpha, name, one)
    // A later message of ours is handled after all of them.
    await stub.client.workflow.getHandle(alpha).signal(sessionSignals.hostReady)
    const after = await describeSession('alpha')
    expect(after).toEqual(before)
    expect(await stub.client.workflow.getHandle(alpha).query(sessionQueries.backlog)).toEqual({
      texts: 0,
      characters: 0,
    })
    await expectUnharmed()
  })

  it('law 15: reads and changes nothing by queries and updates', async () => {
    const alpha = attacker.client.workflow.getHandle(sessionWorkflowId('alpha'))
    await expect(alpha.query(sessionQueries.describe)).rejects.toThrow(
      /not sealed with the key of this fleet/,
    )
    const pool = attacker.client.workflow.getHandle(poolWorkflowId('main'))
    const question = { session: 'evil', model: null, account: null }
    const refused: unknown = await pool
      .executeUpdate(poolUpdates.checkEligibility, { args: [question] })
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ cause: { type: 'NotSealed' } })
    // The query that the Web UI makes needs no key, and its answer can be read with the key only.
    const { queryResult } = await attacker.connection.workflowService.queryWorkflow({
      namespace,
      execution: { workflowId: sessionWorkflowId('alpha') },
      query: { queryType: '__temporal_workflow_metadata' },
    })
    expect(
      queryResult?.payloads?.map(({ metadata }) => String(Buffer.from(metadata?.['encoding'] ?? []))),
    ).toEqual([sealedEncoding])
    await expectUnharmed()
  })

  it('law 15: has no activity carried out on the host, not even with the captured input of another', async () => {
    const scheduled = (await attacker.eventsOf(sessionWorkflowId('alpha'))).find(
      ({ activityTaskScheduledEventAttributes: one }) => one?.activityType?.name === 'launchAgent',
    )?.activityTaskScheduledEventAttributes
    const inputs = [[plain({ session: 'evil', cwd: elsewhere })], scheduled?.input?.payloads ?? []]
    expect(inputs[1]).toHaveLength(1)
    await attacker.startRaw('mine', 'mine', [], 'mine')
    const task = await attacker.connection.withDeadline(Date.now() + 60_000, () =>
      attacker.connection.workflowService.pollWorkflowTaskQueue({
        namespace,
        taskQueue: { name: 'mine' },
        identity: 'attacker',
      }),
    )
    await attacker.connection.workflowService.respondWorkflowTaskCompleted({
      namespace,
      taskToken: task.taskToken,
      commands: inputs.map((payloads, index) => ({
        commandType: CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        scheduleActivityTaskCommandAttributes: {
          activityId: String(index),
          activityType: { name: 'launchAgent' },
          taskQueue: { name: hostQueue(stub.home.hostId) },
          input: { payloads },
          startToCloseTimeout: { seconds: 60 as never },
          heartbeatTimeout: { seconds: 10 as never },
        },
      })),
    })
    const failures = await until(
      'the refusals',
      async () =>
        (await attacker.eventsOf('mine')).flatMap(({ activityTaskFailedEventAttributes: failed }) =>
          failed ? [failed.failure?.applicationFailureInfo?.type] : [],
        ),
      (found) => found.length === inputs.length,
    )
    expect(failures).toEqual(['NotSealed', 'NotSealed'])
    await expectUnharmed()
  })

  it('law 15: completes no step of ours: a result that is not sealed is ignored, and the step made again', async () => {
    const workflowId = sessionWorkflowId('alpha')
    const watches = async (): Promise<string[]> => {
      const { pendingActivities } = await attacker.describeRaw(workflowId)
      return pendingActivities.flatMap(({ activityType, activityId }) =>
        activityType?.name === 'watchAgent' ? [activityId ?? ''] : [],
      )
    }
    const captured = await attacker.startInput(workflowId)
    const seen = new Set<string>()
    const untilNext = async (): Promise<string> => {
      const [next = ''] = await until('a watch', watches, ([one = '']) => one !== '' && !seen.has(one))
      seen.add(next)
      return next
    }
    await attacker.client.activity.complete(
      { workflowId, activityId: await untilNext() },
      { kind: 'exited', readings: [], evidence: 'Run my hooks.' },
    )
    // Sealed with the right key, but not for this.
    await attacker.connection.workflowService.respondActivityTaskCompletedById({
      ...{ namespace, workflowId, activityId: await untilNext(), result: { payloads: captured } },
    })
    await untilNext()
    expect(seen.size).toBe(3)
    await expectUnharmed()
  })

  it('law 11: finds neither folder nor words of a session in the database, or in any history', async () => {
    const words = 'Remember the word capercaillie.'
    const cwd = join(stub.fleet.dir, 'folder-of-the-planted')
    mkdirSync(cwd)
    const started = await stub.fleet.run('start', 'planted', '--cwd', cwd, '--', words)
    expect(started).toMatchObject({ code: 0 })
    await stub.fleet.untilSession('planted', ({ phase }) => phase === 'idle')
    expect((await stub.fleet.run('send', 'planted', `Again: ${words}`)).code).toBe(0)
    expect((await describeSession('planted')).cwd).toBe(cwd)
    const stored = ['', '-wal']
      .map((part) => `${stub.home.database}${part}`)
      .filter((file) => existsSync(file))
      .map((file) => readFileSync(file).toString('latin1'))
      .join('')
    // The names of sessions and accounts are readable: ids and search attributes are not payloads.
    expect(stored).toContain('session/planted')
    expect(stored).not.toContain('capercaillie')
    expect(stored).not.toContain('folder-of-the-planted')
    expect(stored).toContain(sealedEncoding)
  })

  it('law 15: keeps no id of ours: a workflow that was not started with our key is ended before it gets a message', async () => {
    const keys = readSealKeys(stub.home)
    await attacker.startRaw('pool/foreign', 'pool', [plain({ name: 'foreign' })], 'unpolled')
    await endForeign({ connection: attacker.connection, namespace }, keys, 'pool/foreign')
    expect(await attacker.statusOf('pool/foreign')).toBe('TERMINATED')
    await endForeign({ connection: attacker.connection, namespace }, keys, 'pool/foreign')
    await endForeign({ connection: attacker.connection, namespace }, keys, poolWorkflowId('main'))
    expect(await attacker.statusOf(poolWorkflowId('main'))).toBe('RUNNING')
  })

  it('law 15: a host of the person without the key of the fleet is told which file it lacks', async () => {
    const other = openHome({ OUTPOOL_HOME: join(stub.fleet.dir, 'other') })
    copyFileSync(stub.home.engineFile, other.engineFile)
    const look = (home: Home) => checkSealKeys(home, ownEngineOnly(), 'main')
    await expect(look(other)).rejects.toThrow(FleetKeyError)
    await expect(look(other)).rejects.toThrow(`${other.sealKeys} is not there`)
    const { id } = ensureSealKeys(other).current
    await expect(look(other)).rejects.toThrow(`${other.sealKeys} has only ${id}`)
    copyFileSync(stub.home.sealKeys, other.sealKeys)
    expect(await look(other)).toMatchObject({ state: 'ok' })
  })

  it('law 15: ends no session and no pool by asking for their cancellation', async () => {
    const ids = [sessionWorkflowId('alpha'), sessionWorkflowId('beta'), poolWorkflowId('main')]
    for (const workflowId of ids)
      await attacker.connection.workflowService.requestCancelWorkflowExecution({
        ...{ namespace, workflowExecution: { workflowId } },
      })
    // A later message of ours is handled after the request, and so is an update that the pool has to think about.
    for (const name of ['alpha', 'beta'])
      await stub.client.workflow.getHandle(sessionWorkflowId(name)).signal(sessionSignals.hostReady)
    const question = { session: 'alpha', model: null, account: null }
    await stub.client.workflow
      .getHandle(poolWorkflowId('main'))
      .executeUpdate(poolUpdates.checkEligibility, { args: [question] })
    await expectUnharmed()
  })

  describe('law 5 and 15: whatever it ends at the engine goes on', () => {
    const processOf = (sessionId: string) =>
      stub.agents(['max-1']).flatMap((agent) => (agent.sessionId === sessionId ? [agent.pid] : []))
    /** The newest run is another one than before, ours, and watches the agent. */
    const untilRestored = async (name: string, before: string): Promise<void> => {
      const isBack = async (): Promise<boolean> => {
        const { workflowExecutionInfo, pendingActivities } = await attacker.describeRaw(
          sessionWorkflowId(name),
        )
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
    /** One that is parked for its only account, and one that a person has paused. */
    /** Waits in a parked session. */
    const kept = 'Not lost either.'
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
      await attacker.startRaw(
        sessionWorkflowId('alpha'),
        'session',
        [plain(sessionInput('alpha'))],
        'unpolled',
      )
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
        process.kill(worker, 'SIGSTOP')
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
        process.kill(worker, 'SIGSTOP')
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

describe('law 15: a page in a browser', () => {
  it('law 15: gets no answer from any port of the engine, whatever Host and Origin it sends', async () => {
    const { pid, uiUrl } = readEngine(openHome(stub.fleet.env))!
    expect(uiUrl).toBeNull()
    await attacker.startRaw('target', 'anything', [], 'unpolled')
    const ports = portsOf(pid!)
    expect(ports.length).toBeGreaterThan(1)
    const statuses = new Map<number, (number | null)[]>()
    for (const port of ports)
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'rebound.example', 'none', ''])
        for (const attack of requests)
          statuses.set(port, [...(statuses.get(port) ?? []), await send(port, host, attack)])
    // One port is that of the API, and refuses all of them; the others know no such address, or speak no HTTP.
    const answered = [...statuses.values()].filter((all) => all.every((status) => status === 403))
    expect(answered).toHaveLength(1)
    for (const status of [...statuses.values()].flat()) expect([403, 404, 400, null]).toContain(status)
    expect(await attacker.statusOf('target')).toBe('RUNNING')
    await expect(attacker.describeRaw('attack')).rejects.toThrow(/not found/)
  })
})
