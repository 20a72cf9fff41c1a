/**
 * Starts again what was terminated at the engine: Outpool ends no workflow of its own that way, but anyone who reaches the engine can.
 * The new run gets the state of the old one, as if that had continued as new.
 */
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowExecutionInfo,
} from '@temporalio/client'
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import type { SealKeys } from '../../config/seal/keys.js'
import {
  commonQueue,
  poolWorkflowId,
  searchAttributes,
  sessionOfWorkflow,
  watchdogWorkflowId,
} from '../../policy/ids.js'
import { log } from '../../host/log.js'
import { type FleetEngine, endRun, isOwnStart, storedRun, type StoredRun } from '../connection/fleetKeys.js'
import { carriedOverState } from './carriedOver.js'

/** A stranger may terminate many of their own. */
const mostAtOnce = 500
/** Events of a history that are looked through for signals that came last. */
const mostSignals = 1_000
/** Of one workflow: more are not kept, unless someone makes them. */
const mostRuns = 200
/** Clocks differ, and lists are late. Milliseconds. */
const slack = 60_000

const hostKey = defineSearchAttributeKey(searchAttributes.host, SearchAttributeType.KEYWORD)

export interface TerminatedOptions {
  client: Client
  engine: FleetEngine
  keys: SealKeys
  hostId: string
  /** Whose workflows this host restores, beside its sessions. */
  config: () => { pool: { name: string }; services: readonly { name: string }[] }
  /** A session goes on. `runId`: of the run that was terminated. */
  onSession: (session: string, runId: string) => void
}

export class TerminatedWorkflows {
  readonly #options: TerminatedOptions
  /** Runs that need no second look. */
  #settled = new Set<string>()
  /** Runs that go on in a new one, to which their last signals have not been repeated yet. */
  readonly #continued = new Set<string>()

  constructor(options: TerminatedOptions) {
    this.#options = options
  }

  /** Restores what was terminated since then (ms since the epoch). Throws if the engine does not answer. */
  async restoreSince(since: number): Promise<void> {
    const { client } = this.#options
    const query = `ExecutionStatus = 'Terminated' AND CloseTime >= '${new Date(since - slack).toISOString()}'`
    const found: WorkflowExecutionInfo[] = []
    for await (const run of client.workflow.list({ query, pageSize: mostAtOnce })) {
      if (this.#isOurs(run)) found.push(run)
      if (found.length === mostAtOnce) break
    }
    // Sessions ask the pool for a place when they go on.
    const poolFirst = found.toSorted((a, b) => Number(b.type === 'pool') - Number(a.type === 'pool'))
    for (const run of poolFirst) if (!this.#settled.has(run.runId)) await this.#restore(run)
    this.#settled = new Set(found.map(({ runId }) => runId).filter((runId) => this.#settled.has(runId)))
  }

  /** By what everyone can read; that the run was started with our key is checked before it is restored. */
  #isOurs({ type, workflowId, typedSearchAttributes }: WorkflowExecutionInfo): boolean {
    const { hostId, config } = this.#options
    const { pool, services } = config()
    switch (type) {
      case 'session':
        return typedSearchAttributes.get(hostKey) === hostId
      case 'pool':
        return workflowId === poolWorkflowId(pool.name)
      case 'watchdog':
        return services.some(({ name }) => workflowId === watchdogWorkflowId(name))
      default:
        return false
    }
  }

  async #restore(run: WorkflowExecutionInfo): Promise<void> {
    if (!this.#continued.has(run.runId) && !(await this.#startAgain(run))) return
    const { workflowId, runId } = run
    this.#continued.add(runId)
    await this.#repeatSignals(workflowId, runId)
    this.#continued.delete(runId)
    this.#settled.add(runId)
    log.warn(`${workflowId} was terminated at the engine, not by Outpool; it goes on in a new run`)
    const session = sessionOfWorkflow(workflowId)
    if (session !== null) this.#options.onSession(session, runId)
  }

  /** Whether it goes on in a new run. */
  async #startAgain(run: WorkflowExecutionInfo): Promise<boolean> {
    const { client, engine, keys } = this.#options
    const { workflowId, runId, type } = run
    const ended = await storedRun(engine, workflowId, runId)
    if (ended === null || !isOwnStart(ended.start, keys, engine.namespace)) {
      this.#settled.add(runId)
      return false
    }
    const newest = await storedRun(engine, workflowId)
    if (newest !== null && newest.runId !== runId) {
      if (isOwnStart(newest.start, keys, engine.namespace) && !(await this.#isCopy(workflowId, newest))) {
        this.#settled.add(runId)
        return false
      }
      // A stranger's, which is in the way.
      if (newest.isRunning) await endRun(engine, { workflowId, runId: newest.runId })
    }
    const described = await client.workflow.getHandle(workflowId, runId).describe()
    // The session of a task or a drill: that has noticed it, and acts.
    if (described.parentExecution !== undefined) {
      this.#settled.add(runId)
      return false
    }
    const carriedOver = await carriedOverState(client, run, 'was terminated at the engine')
    if (carriedOver === null) return false
    try {
      await client.workflow.start(type, {
        ...{ workflowId, taskQueue: commonQueue, args: [{ ...carriedOver, restored: true }] },
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        ...(described.memo === undefined ? {} : { memo: described.memo }),
        typedSearchAttributes: described.typedSearchAttributes,
      })
    } catch (error) {
      // Another host, or a person with `outpool resume`.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
      this.#settled.add(runId)
      return false
    }
    return true
  }

  /** Those that came after the last step of the terminated run, and are not in its state. */
  async #repeatSignals(workflowId: string, runId: string): Promise<void> {
    const { connection, namespace } = this.#options.engine
    const { history } = await connection.workflowService.getWorkflowExecutionHistoryReverse({
      ...{ namespace, execution: { workflowId, runId }, maximumPageSize: mostSignals },
    })
    const events = history?.events ?? []
    const lastStep = events.findIndex((event) => event.workflowTaskCompletedEventAttributes != null)
    const late = events.slice(0, lastStep < 0 ? events.length : lastStep).reverse()
    for (const { workflowExecutionSignaledEventAttributes: signal } of late)
      if (signal != null)
        await connection.workflowService.signalWorkflowExecution({
          ...{ namespace, workflowExecution: { workflowId } },
          ...{ signalName: signal.signalName ?? null, input: signal.input ?? null },
        })
  }

  /**
   * Whether it was started with what another run was started with: by a reset, after which no result of ours fits, or by someone who has
   * captured it. What we seal is never the same twice.
   */
  async #isCopy(workflowId: string, { runId, start }: StoredRun): Promise<boolean> {
    const { client, engine } = this.#options
    const bytes = Buffer.from(start?.data ?? [])
    let compared = 0
    for await (const other of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      if (++compared > mostRuns) return false
      if (other.runId === runId) continue
      const run = await storedRun(engine, workflowId, other.runId)
      if (run !== null && bytes.equals(Buffer.from(run.start?.data ?? []))) return true
    }
    return false
  }
}
