/**
 * Goes around every workflow: what comes in is acted on only if it was sealed for this workflow and this use, and what goes out is put
 * into an envelope. Messages of others change nothing and fail nothing.
 */
import { ApplicationFailure } from '@temporalio/common'
import {
  CancellationScope,
  log,
  scheduleActivity,
  workflowInfo,
  type WorkflowInterceptorsFactory,
} from '@temporalio/workflow'
import { failureKinds } from '../policy/failureKinds.js'
import {
  envelope,
  openEnvelope,
  readable,
  type RefusalCause,
  resultUse,
  type Use,
} from '../policy/envelope.js'

export const interceptors: WorkflowInterceptorsFactory = () => ({ inbound: [inbound], outbound: [outbound] })

type Interceptors = ReturnType<WorkflowInterceptorsFactory>
type Inbound = NonNullable<Interceptors['inbound']>[number]
type Outbound = NonNullable<Interceptors['outbound']>[number]

/**
 * Workflows that only a sealed message ends. A request to cancel a workflow carries nothing that could be sealed, and anyone who reaches
 * the engine can make one.
 */
const lasting = new Set(['session', 'pool', 'watchdog'])

const cancellationRefused =
  'a request to cancel this workflow has no effect, since anyone who reaches the engine can make one; stop a session with `outpool stop`'

const inbound: Inbound = {
  // Asynchronous, as all of these: what is thrown has to end the workflow, and not its task.
  execute: async (input, next) => {
    const { workflowType, workflowId } = workflowInfo()
    const opened = openEnvelope(input.args, `start ${workflowType}`, workflowId)
    // Not the end of a workflow: this worker lacks a key that others of the fleet have.
    if (opened.refused === 'unknown key') throw new UnknownKeyError()
    if (opened.args === null) throw refusal('the start of this workflow', opened.refused)
    const args = opened.args
    const run = () => next({ ...input, args })
    if (!lasting.has(workflowType)) return run()
    CancellationScope.current().cancelRequested.catch(() => log.warn(cancellationRefused))
    return CancellationScope.nonCancellable(run)
  },
  handleSignal: async (input, next) => {
    const { args } = openHere(input.args, `signal ${input.signalName}`)
    if (args !== null) await CancellationScope.nonCancellable(() => next({ ...input, args }))
  },
  handleQuery: async (input, next) =>
    next({ ...input, args: openOrRefuse(input.args, `query ${input.queryName}`) }),
  validateUpdate: (input, next) => next({ ...input, args: openOrRefuse(input.args, `update ${input.name}`) }),
  handleUpdate: async (input, next) => {
    const args = openOrRefuse(input.args, `update ${input.name}`)
    return CancellationScope.nonCancellable(() => next({ ...input, args }))
  },
}

const outbound: Outbound = {
  startTimer: (input, next) => next({ ...input, options: withReadableSummary(input.options ?? {}) }),
  scheduleActivity: (input, next) => {
    const { activityType, args, options, typeInfo, seq } = input
    const { workflowId, runId } = workflowInfo()
    const use = resultUse(activityType, runId, options.activityId ?? String(seq))
    const scheduled = next({
      ...input,
      args: envelope(`activity ${activityType}`, workflowId, args),
      options: withReadableSummary(options),
    })
    // Anyone who reaches the engine can complete an activity by its id. Such a result is ignored, and the activity carried out again.
    return scheduled.then((result) => {
      const opened = openEnvelope([result], use, workflowId)
      return opened.args === null ? scheduleActivity(activityType, args, options, typeInfo) : opened.args[0]
    })
  },
  startChildWorkflowExecution: (input, next) => {
    const { workflowType, options } = input
    const { workflowId, args, staticSummary } = options
    return next({
      ...input,
      options: {
        ...options,
        args: envelope(`start ${workflowType}`, workflowId, args),
        ...(staticSummary === undefined ? {} : { staticSummary: readable(staticSummary) }),
      },
    })
  },
  signalWorkflow: (input, next) => {
    const { signalName, target, args } = input
    const to = target.type === 'child' ? target.childWorkflowId : (target.workflowExecution.workflowId ?? '')
    return next({ ...input, args: envelope(`signal ${signalName}`, to, args) })
  },
  continueAsNew: (input, next) => {
    const { workflowId } = workflowInfo()
    const { workflowType } = input.options
    return next({ ...input, args: envelope(`start ${workflowType}`, workflowId, input.args) })
  },
}

const withReadableSummary = <Options extends { summary?: string }>(options: Options): Options =>
  options.summary === undefined ? options : { ...options, summary: readable(options.summary) }

/** Thrown when a workflow was started with a key that this host does not have: another host of the fleet can go on with it. */
class UnknownKeyError extends Error {
  override readonly name = 'UnknownKeyError'

  constructor() {
    super('sealed with a key that this host does not have: copy seal-keys.json from the host that made it')
  }
}

const openHere = (args: readonly unknown[], use: Use) => openEnvelope(args, use, workflowInfo().workflowId)

function openOrRefuse(args: readonly unknown[], use: Use): unknown[] {
  const opened = openHere(args, use)
  if (opened.args === null) throw refusal(use, opened.refused)
  return opened.args
}

const refusal = (what: string, why: RefusalCause): ApplicationFailure =>
  ApplicationFailure.nonRetryable(`${what} was refused: ${reasons[why]}`, failureKinds.notSealed)

const reasons: Record<RefusalCause, string> = {
  unsealed: 'it is not sealed with the key of this fleet',
  'unknown key': 'it is sealed with a key that this host does not have',
  misused: 'it was sealed for something else',
}
