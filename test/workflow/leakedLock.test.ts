import { afterAll, beforeAll, expect, it } from 'vitest'
import { TestServer } from './harness/testServer.js'

const hour = 3_600_000
let testServer: TestServer

beforeAll(async () => {
  testServer = await TestServer.open()
})
afterAll(() => testServer.close())

it('virtual time goes on after the server has kept a lock on its clock that belongs to nothing', async () => {
  const before = await testServer.now()
  await testServer.env.connection.testService!.lockTimeSkipping({})
  await testServer.advance(hour)
  expect((await testServer.now()) - before).toBeGreaterThanOrEqual(hour)
})
