/** The one place where a host's errors become Temporal failures. */
import { ApplicationFailure } from '@temporalio/common'
import type { ActivityInterceptorsFactory } from '@temporalio/worker'
import { StepError } from '../host/errors.js'

/** The failure that the workflow gets: its type is the error's kind. */
export const failureFrom = (error: StepError): ApplicationFailure =>
  ApplicationFailure.create({
    type: error.kind,
    message: error.message,
    nonRetryable: !error.isRetryable,
    details: [...error.details],
    cause: error,
  })

/** For every worker that runs activities. All other errors go through as they are, and are retried. */
export const failureInterceptor: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input)
      } catch (error) {
        throw error instanceof StepError ? failureFrom(error) : error
      }
    },
  },
})
