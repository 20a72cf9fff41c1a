/** Goes around every activity: its input is acted on only if one of our workflows sealed it for this activity, and so is its result. */
import { ApplicationFailure } from '@temporalio/common'
import type { ActivityInterceptorsFactory } from '@temporalio/worker'
import { envelope, openEnvelope, resultUse } from '../policy/envelope.js'
import { failureKinds } from '../policy/failureKinds.js'

/** For every worker that runs activities. */
export const envelopeInterceptor: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    async execute(input, next) {
      const { activityType, activityId } = info
      const { workflowId = '', runId = '' } = info.workflowExecution ?? {}
      const opened = openEnvelope(input.args, `activity ${activityType}`, workflowId)
      if (opened.args !== null) {
        const result = await next({ ...input, args: opened.args })
        return envelope(
          resultUse(activityType, runId, activityId),
          workflowId,
          result === undefined ? [] : [result],
        )[0]
      }
      throw ApplicationFailure.create({
        type: failureKinds.notSealed,
        message:
          opened.refused === 'unknown key'
            ? 'sealed with a key that this host does not have: copy seal-keys.json from the host that made it'
            : `its input was refused: it is not sealed for ${activityType} with the key of this fleet`,
        // A key that this host lacks can be copied here; nothing makes anything else acceptable.
        nonRetryable: opened.refused !== 'unknown key',
      })
    },
  },
})
