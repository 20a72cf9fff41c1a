/**
 * Law 7 and 10: each part of Outpool is suspended (SIGSTOP), as by a debugger, a frozen control group or a machine without memory. Nothing
 * ends with it: commands say what does not answer instead of hanging, the agents run on, and everything goes on after SIGCONT.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openStubFleet, type StubFleet } from '../../bench/stubFleet.js'
import { readEngine } from '../../config/state/liveFile.js'
import { suspend } from '../../lab/machine/suspend.js'
import { until } from '../../lab/until.js'

let stub: StubFleet
beforeAll(async () => {
  stub = await openStubFleet({ accounts: ['max-1'], maxSessions: 10 })
  await stub.start(['alpha', 'beta'])
})
afterAll(() => stub.close())

const parts: Record<string, () => number> = {
  worker: () => stub.fleet.workerPid() ?? 0,
  engine: () => readEngine(stub.home)?.pid ?? 0,
  'tmux server': () => Number(stub.fleet.tmux('display-message', '-p', '#{pid}').trim()),
}

/** One that hangs ends with the time limit of its test. */
async function command(...args: string[]): Promise<{ code: number | null; said: string }> {
  const { code, stdout, stderr } = await stub.fleet.run(...args)
  return { code, said: stdout + stderr }
}

const agents = (): number[] =>
  stub
    .agents(['max-1'])
    .map(({ pid }) => pid)
    .toSorted((a, b) => a - b)

it.each(Object.keys(parts))('law 7: while the %s is suspended, and after it', async (part) => {
  const pid = parts[part]?.() ?? 0
  expect(pid).toBeGreaterThan(1)
  const before = agents()
  await suspend(pid)
  try {
    const listed = await command('ls')
    // Only without the engine there is nothing to list.
    expect(listed.code, listed.said).toBe(part === 'engine' ? 3 : 0)
    const sent = await command('send', 'alpha', `While the ${part} is suspended.`)
    // A text is accepted durably by the engine alone.
    expect(sent.code, sent.said).toBe(part === 'engine' ? 3 : 0)
    expect(agents()).toEqual(before)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await until(
    'the sessions as before',
    () => stub.fleet.json<{ name: string; phase: string }[]>('ls'),
    (all) => all.length === 2 && all.every(({ phase }) => phase === 'idle' || phase === 'working'),
  )
  // The same processes: nothing was taken for dead and started a second time.
  expect(agents()).toEqual(before)
  const { code, said } = await command('send', 'beta', `After the ${part}.`)
  expect(code, said).toBe(0)
})
