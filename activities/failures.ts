/** The one place through which the results and errors of a host reach the engine. */
import { ApplicationFailure, TemporalFailure } from '@temporalio/common'
import type { ActivityInterceptorsFactory } from '@temporalio/worker'
import { withoutSecrets } from '../config/secrets/known.js'
import { boundedText, mapTexts } from '../policy/boundedText.js'
import { StepError } from '../host/errors.js'
import { ResultTooLargeError } from './errors.js'
import { resultLimitOf } from './limits.js'

/** Of an error's message, of each text in its details, and of its stack, in characters: more than a person would read. */
const messageMax = 2_000
const stackMax = 8_000
/** Texts in a result are cut to the first of these lengths with which the whole is within its limit. */
const textMaxima = [16_384, 1_024, 200]

/** The failure that the workflow gets: its type is the error's kind. */
export const failureFrom = (error: StepError): ApplicationFailure =>
  ApplicationFailure.create({
    type: error.kind,
    message: error.message,
    nonRetryable: !error.isRetryable,
    details: error.details.map((detail) => mapTexts(detail, (text) => cleaned(text, messageMax))),
    cause: error,
  })

/**
 * For every worker that runs activities. Whatever an activity returns or throws has no known secret in it, and a bounded size: the
 * engine would refuse a result that is too large at each attempt, for ever. Errors that are no StepError are retried.
 */
export const failureInterceptor: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    async execute(input, next) {
      try {
        return forEngine(await next(input), info.activityType)
      } catch (error) {
        if (error instanceof TemporalFailure || !(error instanceof Error)) throw error
        clean(error)
        throw error instanceof StepError ? failureFrom(error) : error
      }
    },
  },
})

/** Throws ResultTooLarge if not even short texts bring the result within the limit of its activity. */
function forEngine(result: unknown, activity: string): unknown {
  for (const max of textMaxima) {
    const bounded = mapTexts(result, (text) => cleaned(text, max))
    if (sizeOf(bounded) <= resultLimitOf(activity)) return bounded
  }
  throw new ResultTooLargeError(activity, sizeOf(result))
}

const sizeOf = (value: unknown): number => (value === undefined ? 0 : JSON.stringify(value).length)

const cleaned = (text: string, max: number): string => boundedText(withoutSecrets(text), max)

/** Changes the error itself, so that its class is kept. */
function clean(error: Error): void {
  const { message, stack, cause } = error
  error.message = cleaned(message, messageMax)
  if (stack !== undefined) error.stack = cleaned(stack, stackMax)
  if (cause instanceof Error) clean(cause)
}
