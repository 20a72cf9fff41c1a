/** What a client of the engine needs so that workers act on its messages: every message in an envelope, every payload sealed. */
import type { ClientOptions, WorkflowClientInterceptor } from '@temporalio/client'
import { envelope, readable } from '../../policy/envelope.js'
import { SealingCodec } from './codec.js'
import type { SealKeys } from './keys.js'

/** To be merged into the options of every Client. */
export const sealedClientOptions = (
  keys: SealKeys,
  namespace: string,
): Required<Pick<ClientOptions, 'dataConverter' | 'interceptors'>> => ({
  dataConverter: { payloadCodecs: [new SealingCodec(keys, namespace)] },
  interceptors: { workflow: [envelopes] },
})

const idOf = ({ workflowId }: { workflowId?: string | null }): string => workflowId ?? ''

/** Puts the arguments of each message into an envelope. Messages of schedules get theirs in worker/schedules/putSchedule.ts. */
export const envelopes: WorkflowClientInterceptor = {
  startWithDetails: (input, next) =>
    next({ ...input, options: wrapStart(input.workflowType, input.options) }),
  signalWithStart: (input, next) =>
    next({
      ...input,
      options: wrapStart(input.workflowType, input.options),
      signalArgs: envelope(`signal ${input.signalName}`, input.options.workflowId, input.signalArgs),
    }),
  signal: (input, next) =>
    next({
      ...input,
      args: envelope(`signal ${input.signalName}`, idOf(input.workflowExecution), input.args),
    }),
  startUpdate: (input, next) =>
    next({
      ...input,
      args: envelope(`update ${input.updateName}`, idOf(input.workflowExecution), input.args),
    }),
  query: (input, next) =>
    next({ ...input, args: envelope(`query ${input.queryType}`, idOf(input.workflowExecution), input.args) }),
}

interface StartOptions {
  workflowId: string
  args: unknown[]
  staticSummary?: string
}

const wrapStart = <Options extends StartOptions>(workflowType: string, options: Options): Options => ({
  ...options,
  args: envelope(`start ${workflowType}`, options.workflowId, options.args),
  ...(options.staticSummary === undefined ? {} : { staticSummary: readable(options.staticSummary) }),
})
