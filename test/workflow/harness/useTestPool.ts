/** A test server for the file and a test pool for each test, opened on demand and checked at its end. */
import { afterAll, afterEach, beforeAll } from 'vitest'
import { TestPool, type TestPoolOptions } from './testPool.js'
import { TestServer } from './testServer.js'

/** `open`: on which server; the one with virtual time by default. */
export function useTestPool(
  open: () => Promise<TestServer> = () => TestServer.open(),
): (options: TestPoolOptions) => Promise<TestPool> {
  let testServer: TestServer
  let pools: TestPool[] = []
  beforeAll(async () => {
    testServer = await open()
  })
  afterEach(async () => {
    const still = pools
    pools = []
    for (const testPool of still) await testPool.close()
  })
  afterAll(() => testServer.close())
  return async (options) => {
    const testPool = await TestPool.open(testServer, options)
    pools.push(testPool)
    return testPool
  }
}
