/**
 * Law 15: attacks on the control plane, each really made, on a real `outpool up` with sessions whose agents are
 * stubs. The attacker is another user of the machine or a page in a browser: it reaches every port, and has no
 * key, but may have captured everything that the engine stores. What it ends there is in endedAtEngine.test.ts.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Payload } from '@temporalio/common'
import proto from '@temporalio/proto'
import { describe, expect, it } from 'vitest'
import { keyIdOf, sealedEncoding } from '../../config/seal/codec.js'
import { ensureSealKeys, readSealKeys } from '../../config/seal/keys.js'
import { readEngine } from '../../config/state/liveFile.js'
import { type Home, openHome } from '../../config/state/home.js'
import { ownEngineOnly } from '../../lab/engine/ownEngineOnly.js'
import { until } from '../../lab/until.js'
import { hostQueue, poolWorkflowId, sessionWorkflowId } from '../../policy/ids.js'
import { endForeign } from '../../worker/connection/fleetKeys.js'
import { checkSealKeys } from '../../worker/doctor/sealKeys.js'
import { FleetKeyError } from '../../worker/errors.js'
import { forgery, namespace, plain } from './attacker.js'
import { portsOf, requests, send } from './pageRequests.js'
import { poolUpdates, sessionQueries, sessionSignals } from '../../workflows/messages.js'
import {
  attacker,
  describeSession,
  elsewhere,
  expectUnharmed,
  sessionInput,
  shareAttackedFleet,
  stub,
} from './attackedFleet.js'

const { EventType, CommandType } = proto.temporal.api.enums.v1

shareAttackedFleet()

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
