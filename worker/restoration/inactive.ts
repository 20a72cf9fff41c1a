/**
 * Keeps the sealed state of sessions that are parked, paused or stopped, and starts one again from it if its workflow was deleted at the
 * engine: such a session has no process by which its loss could be noticed. What came in the last minutes before may be missing.
 */
import { createHash } from 'node:crypto'
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import { tsToMs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'
import type { SealKeys } from '../../config/seal/keys.js'
import { keyIdOfText, openText, sealAsText } from '../../config/seal/sealedText.js'
import {
  dropStoredSession,
  readStoredSession,
  storedSessions,
  storeSession,
  type StoredSession,
} from '../../config/state/storedSessions.js'
import type { Host } from '../../host/host.js'
import { log } from '../../host/log.js'
import {
  commonQueue,
  namePattern,
  searchAttributes,
  sessionOfWorkflow,
  sessionWorkflowId,
} from '../../policy/ids.js'
import { sessionMemo } from '../../policy/session/session.js'
import { endRun, type FleetEngine, isOwnStart, storedRun, type StoredRun } from '../connection/fleetKeys.js'
import { carriedOverState, checkCarriedOver } from './carriedOver.js'

const { WORKFLOW_EXECUTION_STATUS_RUNNING: running } = proto.temporal.api.enums.v1.WorkflowExecutionStatus

/** One list each time. Milliseconds. */
const pollEvery = 30_000
/** Of one list, and in all: sessions that ended long ago add up, and a stranger may start many. */
const pageSize = 500
const mostListed = 2_000
/** States that are read in one poll, of which each may have to be computed from its history. */
const mostRead = 20
/** A text that is sent to a parked session changes nothing that lists show. Milliseconds. */
const readAgainAfter = 5 * 60_000

const phases = ['parked', 'paused', 'stopped'] as const

/** A run as the engine lists it, which anyone can have made up. */
interface ListedRun {
  session: string
  runId: string
  startedAt: number
  closedAt: number | null
  mark: string
}

/** What is known of a stored state without reading its file. */
type Known = Omit<StoredSession, 'sealed'> & { key: string | null }

export interface InactiveOptions {
  host: Pick<Host, 'home' | 'config'>
  client: Client
  engine: FleetEngine
  keys: SealKeys
  /** With an engine that serves this host alone, no other host can have taken a stopped session off the list. */
  isEmbedded: boolean
}

export class InactiveSessions {
  readonly #options: InactiveOptions
  #known: Map<string, Known> | null = null
  /** Runs that were not started with our key. */
  #foreign = new Set<string>()
  /** When the state of a run was last asked for: one that does not answer must not keep others waiting. */
  #askedAt = new Map<string, number>()
  #polledAt = -Infinity

  constructor(options: InactiveOptions) {
    this.#options = options
  }

  /** `onSession` is called for each that was started again, with an id of its loss. Throws if the engine does not answer. */
  async poll(onSession: (session: string, id: string) => void): Promise<void> {
    if (performance.now() - this.#polledAt < pollEvery) return
    this.#known ??= this.#readAll()
    const listed = await this.#list()
    const runs = new Set(listed.map(({ runId }) => runId))
    // First, since a run of a stranger may have taken the place of one that is gone.
    for (const [session, stored] of this.#known)
      if (!runs.has(stored.runId)) await this.#restoreIfDeleted(session, stored, onSession)
    this.#foreign = new Set([...this.#foreign].filter((run) => runs.has(run)))
    this.#askedAt = new Map([...this.#askedAt].filter(([run]) => runs.has(run)))
    const due = newestOf(listed).filter((run) => this.#isDue(run))
    const askedAt = ({ runId }: ListedRun): number => this.#askedAt.get(runId) ?? -Infinity
    for (const run of due.toSorted((a, b) => askedAt(a) - askedAt(b)).slice(0, mostRead)) {
      this.#askedAt.set(run.runId, performance.now())
      await this.#store(run)
    }
    this.#polledAt = performance.now()
  }

  #readAll(): Map<string, Known> {
    const { home } = this.#options.host
    return new Map(storedSessions(home).map(({ session, ...stored }) => [session, knownOf(stored)]))
  }

  async #list(): Promise<ListedRun[]> {
    const { host, engine, isEmbedded } = this.#options
    const { connection, namespace } = engine
    const statuses = isEmbedded
      ? `ExecutionStatus IN ('Running', 'Completed')`
      : `ExecutionStatus = 'Running'`
    const query =
      `WorkflowType = 'session' AND ${searchAttributes.host} = '${host.home.hostId}' AND ${statuses} AND ` +
      `${searchAttributes.phase} IN (${phases.map((phase) => `'${phase}'`).join(', ')})`
    const listed: ListedRun[] = []
    let nextPageToken: Uint8Array | null = null
    do {
      const page: proto.temporal.api.workflowservice.v1.IListWorkflowExecutionsResponse =
        await connection.workflowService.listWorkflowExecutions({ namespace, query, pageSize, nextPageToken })
      listed.push(...(page.executions ?? []).flatMap(toListedRun))
      nextPageToken = page.nextPageToken ?? null
    } while (nextPageToken !== null && nextPageToken.length > 0 && listed.length < mostListed)
    return listed
  }

  #isDue({ session, runId, startedAt, closedAt, mark }: ListedRun): boolean {
    if (this.#foreign.has(runId)) return false
    const known = this.#known?.get(session)
    if (known === undefined || known.key !== this.#options.keys.current.id) return true
    if (known.runId !== runId) return Date.parse(known.startedAt) < startedAt
    if (known.mark !== mark) return true
    return closedAt === null && Date.now() - Date.parse(known.savedAt) >= readAgainAfter
  }

  async #store({ session, runId, startedAt, closedAt, mark }: ListedRun): Promise<void> {
    const { host, client, engine, keys } = this.#options
    const workflowId = sessionWorkflowId(session)
    const before = readStoredSession(host.home, session)
    if (
      before !== null &&
      'forgottenAt' in before &&
      (closedAt ?? Infinity) <= Date.parse(before.forgottenAt)
    )
      return
    const run = await storedRun(engine, workflowId, runId)
    if (run === null) return
    if (!isOwnStart(run.start, keys, engine.namespace)) {
      this.#foreign.add(runId)
      return
    }
    const carriedOver = await carriedOverState(client, { workflowId, runId }, 'has no process')
    if (carriedOver === null || !phases.some((phase) => phase === carriedOver.state['phase'])) return
    const stored: StoredSession = {
      ...{ engine: await this.#engineId(), runId, mark, start: digestOf(run) },
      ...{ startedAt: iso(startedAt), closedAt: closedAt === null ? null : iso(closedAt) },
      ...{ savedAt: iso(Date.now()), sealed: await sealAsText(keys, engine.namespace, carriedOver) },
    }
    storeSession(host.home, session, stored)
    this.#known?.set(session, knownOf(stored))
  }

  async #restoreIfDeleted(
    session: string,
    known: Known,
    onSession: (session: string, id: string) => void,
  ): Promise<void> {
    const { engine } = this.#options
    const workflowId = sessionWorkflowId(session)
    const stored = await storedRun(engine, workflowId, known.runId)
    // What looks for terminated workflows starts it again, unless its history is deleted first.
    if (stored?.isTerminated === true) return
    if (stored !== null || this.#isExpired(known) || known.engine !== (await this.#engineId())) {
      this.#drop(session)
      return
    }
    const newest = await storedRun(engine, workflowId)
    if (newest !== null && this.#isSuccessor(newest, known)) {
      this.#drop(session)
      return
    }
    if (newest?.isRunning === true) await endRun(engine, { workflowId, runId: newest.runId })
    if (await this.#start(session)) onSession(session, `${workflowId}@${known.runId}`)
    this.#known?.delete(session)
  }

  /** Whether the engine has removed it by itself, as configured. */
  #isExpired({ closedAt }: Known): boolean {
    const { keep } = this.#options.host.config
    return closedAt !== null && Date.now() - Date.parse(closedAt) >= keep.finished - pollEvery
  }

  /** A run of ours that came after it, and was not started by someone who had captured the start of it. */
  #isSuccessor(newest: StoredRun, known: Known): boolean {
    const { keys, engine } = this.#options
    const isNewer = newest.startedAt > Date.parse(known.startedAt)
    return isNewer && isOwnStart(newest.start, keys, engine.namespace) && digestOf(newest) !== known.start
  }

  /** False if there is nothing to start it from, or if it runs already. */
  async #start(session: string): Promise<boolean> {
    const { host, client, engine, keys } = this.#options
    const stored = readStoredSession(host.home, session)
    if (stored === null || 'forgottenAt' in stored) return false
    const workflowId = sessionWorkflowId(session)
    const carriedOver = checkCarriedOver(workflowId, openText(keys, engine.namespace, stored.sealed))
    if (carriedOver === null) {
      log.error(`${workflowId} was deleted at the engine, and its kept state cannot be read`)
      return false
    }
    try {
      await client.workflow.start('session', {
        ...{ workflowId, taskQueue: commonQueue, args: [{ ...carriedOver, restored: true }] },
        ...{ workflowIdReusePolicy: 'ALLOW_DUPLICATE', workflowIdConflictPolicy: 'FAIL' },
      })
      log.warn(`${workflowId} was deleted at the engine, not by Outpool; it is back in a new run`)
      return true
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false
      throw error
    }
  }

  #drop(session: string): void {
    this.#known?.delete(session)
    const { home } = this.#options.host
    const stored = readStoredSession(home, session)
    if (stored !== null && !('forgottenAt' in stored)) dropStoredSession(home, session)
  }

  async #engineId(): Promise<string> {
    const { connection, namespace } = this.#options.engine
    const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace })
    return namespaceInfo?.id ?? ''
  }
}

/** Those of tasks and drills have a parent, which acts when one of them is gone. */
function toListedRun(info: proto.temporal.api.workflow.v1.IWorkflowExecutionInfo): ListedRun[] {
  const { execution, status, startTime, closeTime, memo, parentExecution } = info
  const session = sessionOfWorkflow(execution?.workflowId ?? '')
  const hasParent = (parentExecution?.workflowId ?? '') !== ''
  if (session === null || !namePattern.test(session) || hasParent) return []
  const shown = memo?.fields?.[sessionMemo]?.data ?? new Uint8Array()
  return [
    {
      ...{ session, runId: execution?.runId ?? '', startedAt: tsToMs(startTime) },
      closedAt: status === running ? null : tsToMs(closeTime),
      mark: createHash('sha256').update(String(status)).update(shown).digest('hex'),
    },
  ]
}

function newestOf(runs: readonly ListedRun[]): ListedRun[] {
  const newest = new Map<string, ListedRun>()
  for (const run of runs)
    if ((newest.get(run.session)?.startedAt ?? -Infinity) < run.startedAt) newest.set(run.session, run)
  return [...newest.values()]
}

const knownOf = ({ sealed, ...rest }: StoredSession): Known => ({ ...rest, key: keyIdOfText(sealed) })

const digestOf = ({ start }: StoredRun): string =>
  createHash('sha256')
    .update(start?.data ?? new Uint8Array())
    .digest('hex')

const iso = (ms: number): string => new Date(ms).toISOString()
