import { ApplicationFailure } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, it } from 'vitest'
import { PageOpenError, StopFailedError } from '../../activities/errors.js'
import { failureInterceptor } from '../../activities/failures.js'
import { StaleFenceError, type StepError } from '../../host/errors.js'
import { emptyReading } from '../../policy/account/account.js'

/** What the engine gets from an activity that throws `error`. */
async function failureOf(error: Error): Promise<unknown> {
  const environment = new MockActivityEnvironment({}, { interceptors: [failureInterceptor] })
  try {
    return await environment.run(() => Promise.reject(error))
  } catch (failure) {
    return failure
  }
}

const page = {
  cwd: '/srv/docs',
  what: 'asks for trust',
  remedy: 'outpool attach docs',
  at: '2026-01-01T00:00:00.000Z',
  until: '2026-01-02T00:00:00.000Z',
}

it.each<{ error: StepError; nonRetryable: boolean; details: unknown[] }>([
  { error: new StaleFenceError('docs', 3, 4), nonRetryable: true, details: [] },
  { error: new StopFailedError(4711), nonRetryable: false, details: [] },
  {
    error: new PageOpenError(page, emptyReading('max-1')),
    nonRetryable: true,
    details: [emptyReading('max-1')],
  },
])('law 7: $error.kind reaches the workflow as its own type, retryable or not', async (row) => {
  const failure = await failureOf(row.error)
  expect(failure).toBeInstanceOf(ApplicationFailure)
  expect(failure).toMatchObject({
    type: row.error.kind,
    nonRetryable: row.nonRetryable,
    details: row.details,
  })
})

it('law 7: any other error passes through unchanged, to be retried', async () => {
  const error = new Error('no room on the disk')
  expect(await failureOf(error)).toBe(error)
})
