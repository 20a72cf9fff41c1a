import { ApplicationFailure, DefaultFailureConverter, defaultPayloadConverter } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { resolveEnv } from '../../config/secrets/resolve.js'
import { LaunchFailedError, PageOpenError, StopFailedError } from '../../activities/errors.js'
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

const key = 'sk-made-up-key-0123456789'

/** What the engine gets from an activity that returns `result`. */
const resultOf = (result: unknown): Promise<unknown> =>
  new MockActivityEnvironment({}, { interceptors: [failureInterceptor] }).run(() => Promise.resolve(result))

describe('law 11: a known secret that a program printed', () => {
  beforeAll(async () => {
    await resolveEnv({ MADE_UP_API_KEY: key })
  })

  it('is in no result, also where a terminal has wrapped it', async () => {
    const wrapped = `│ ${key.slice(0, 9)} │\n│ ${key.slice(9)} │`
    const result = { why: `it said ${key}`, list: [{ wrapped }], none: null, count: 3 }
    expect(await resultOf(result)).toEqual({
      why: 'it said [secret]',
      list: [{ wrapped: '│ [secret] │' }],
      none: null,
      count: 3,
    })
    expect(await resultOf(undefined)).toBeUndefined()
  })

  it('is in no error, with its causes, stacks and details', async () => {
    const reading = { ...emptyReading('max-1'), identity: key }
    for (const error of [
      new LaunchFailedError(`its last words: ${key}`),
      new PageOpenError({ ...page, what: key }, reading),
      new Error('outer', { cause: new Error(key) }),
    ]) {
      const sent = new DefaultFailureConverter().errorToFailure(
        await failureOf(error),
        defaultPayloadConverter,
      )
      const text = JSON.stringify(sent, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString() : value,
      )
      expect(text).toContain('[secret]')
      expect(text).not.toContain(key)
    }
  })
})

describe('law 15: what a host gives the engine is bounded', () => {
  it('each text, and each message of an error', async () => {
    const long = 'x'.repeat(3_000_000)
    expect(JSON.stringify(await resultOf({ text: long })).length).toBeLessThan(20_000)
    expect(((await failureOf(new LaunchFailedError(long))) as Error).message.length).toBeLessThan(3_000)
    expect(((await failureOf(new Error(long))) as Error).message.length).toBeLessThan(3_000)
  })

  it('the whole, by cutting its texts shorter, and at last by an error', async () => {
    const texts = (count: number, length: number) => Array.from({ length: count }, () => 'x'.repeat(length))
    expect(JSON.stringify(await resultOf(texts(100, 10_000))).length).toBeLessThan(33_000)
    await expect(resultOf(texts(1_000, 10_000))).rejects.toThrow(/too many for a history/)
  })
})

it('law 7: any other error passes through unchanged, to be retried', async () => {
  const error = new Error('no room on the disk')
  expect(await failureOf(error)).toBe(error)
})
