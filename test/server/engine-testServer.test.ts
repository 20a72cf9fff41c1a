import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { timeSkippingEnvironment } from '../../lab/engine/engine.js'

describe('the server with virtual time', () => {
  let env: TestWorkflowEnvironment
  beforeAll(async () => {
    env = await timeSkippingEnvironment()
  })
  afterAll(() => env.teardown())

  it('is the pinned one and skips time: in real time this would take five hours', async () => {
    const before = await env.currentTimeMs()
    await env.sleep('5 hours')
    expect((await env.currentTimeMs()) - before).toBeGreaterThanOrEqual(5 * 3_600_000)
  })
})
