/** Goes around every activity: its input is acted on only if one of our workflows sealed it for this activity. */
import { ApplicationFailure } from '@temporalio/common'
import type { ActivityInterceptorsFactory } from '@temporalio/worker'
import { openEnvelope } from '../policy/envelope.js'
import { failureKinds } from '../policy/failureKinds.js'

/** For every worker that runs activities. */
export const envelopeInterceptor: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    async execute(input, next) {
      const { activityType, workflowExecution } = info
      const opened = openEnvelope(input.args, `activity ${activityType}`, workflowExecution?.workflowId ?? '')
      if (opened.args !== null) return next({ ...input, args: opened.args })
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
