/** The limits of a woken agent, if what it has spent can't be read. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { watchWakeUp } from '../../activities/services/wakeUp.js'
import type { ServiceContext } from '../../activities/services/serviceContext.js'
import type { Sampler } from '../../activities/watch/sampler.js'

vi.mock('../../activities/watch/watch.js', () => ({
  watchAgent: async (
    _host: unknown,
    _sampler: unknown,
    _request: unknown,
    { signal }: { signal: AbortSignal },
  ) => {
    await delay(600_000, undefined, { signal }).catch(() => undefined)
    return { kind: 'rollover', transcriptTo: 0 }
  },
}))

it('law 10: they go on to be watched, and the worker lives', async () => {
  const unreadable = (): never => {
    throw new Error('the place is not known here')
  }
  const host = {
    clock: { now: () => Date.now() },
    config: { services: [{ name: 'loop', wakeUp: { maxAnswers: 1, maxTokens: 1 } }] },
    adapter: () => ({ findTranscript: unreadable }),
    files: unreadable,
  }
  const request = {
    ...{
      session: 'outpool-wakeup-1',
      fence: 1,
      agent: 'claude-code',
      cwd: '/',
      model: null,
      transcriptFrom: 0,
    },
    ...{
      sessionId: '7da1d9f0-0000-4000-8000-000000000000',
      place: { kind: 'account' as const, name: 'medic' },
    },
    ...{ service: 'loop', incident: 1, waitingFor: null, until: new Date(Date.now() + 300).toISOString() },
  }
  const context = { host } as unknown as ServiceContext
  const observation = await watchWakeUp(context, {} as Sampler, request)
  expect(observation).toEqual({ kind: 'over', why: 'it was not done in time' })
})
