import { afterAll, beforeAll, expect, it } from 'vitest'
import { TestPool } from './harness/testPool.js'
import { TestServer } from './harness/testServer.js'

const hour = 3_600_000
let testServer: TestServer

beforeAll(async () => {
  testServer = await TestServer.open()
})
afterAll(() => testServer.close())

/** What the server does by itself once in a while. */
const leak = () => testServer.env.connection.testService!.lockTimeSkipping({})

async function expectToSkip(): Promise<void> {
  const before = await testServer.now()
  await testServer.advance(hour)
  expect((await testServer.now()) - before).toBeGreaterThanOrEqual(hour)
}

it('virtual time goes on after the server has kept a lock on its clock that belongs to nothing', async () => {
  await leak()
  await expectToSkip()
})

it('also while an agent is watched, which is an attempt of an activity every few seconds', async () => {
  const testPool = await TestPool.open(testServer, { accounts: ['max-1'] })
  await testPool.startRunning('one')
  await leak()
  await expectToSkip()
  await testPool.close()
})

it('also if it is to pass in short steps', async () => {
  await leak()
  let took = Infinity
  for (let steps = 0; steps < 60 && took > 900; steps++) {
    const began = performance.now()
    await testServer.advance(1_000)
    took = performance.now() - began
  }
  expect(took).toBeLessThanOrEqual(900)
  await expectToSkip()
})
