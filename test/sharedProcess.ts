/**
 * For projects whose files share a process: a file leaves the process as it found it, so that it passes alone and among the others
 * in any order.
 */
import { afterAll, beforeAll, expect, vi } from 'vitest'

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'exit'] as const

/** What tests put spies on. */
const spiedOn: [object: object, method: string][] = [
  [console, 'log'],
  [console, 'error'],
  [process.stdout, 'write'],
  [process.stderr, 'write'],
  [Date, 'now'],
  [globalThis, 'fetch'],
]

const state = () => ({
  environment: { ...process.env },
  folder: process.cwd(),
  listeners: signals.map((signal) => process.listenerCount(signal)),
  timersAreFake: vi.isFakeTimers(),
  spies: spiedOn.flatMap(([object, method]) =>
    vi.isMockFunction(Reflect.get(object, method)) ? [method] : [],
  ),
})

let before: ReturnType<typeof state>
beforeAll(() => {
  before = state()
})
afterAll(() => {
  expect(state()).toEqual(before)
})
