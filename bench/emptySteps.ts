/**
 * The floor of a herd: what the same engine needs to carry as many running workflows through two empty steps
 * each.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('floor/worker.ts', import.meta.url))

/** When each had done its steps, in milliseconds after all were signalled at once; ascending. */
export async function emptySteps(address: string, namespace: string, count: number): Promise<number[]> {
  const child = fork(program, [address, namespace, String(count)], { execArgv: ['--import', 'tsx'] })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the floor ended with ${String(code)}`)),
    )
  })
  const said = (): Promise<unknown> =>
    Promise.race([new Promise((resolve) => child.once('message', resolve)), ended])
  await said()
  child.send('go')
  const done = await said()
  await ended
  if (!Array.isArray(done)) throw new Error('the floor reported no steps')
  return done.map(Number).sort((a, b) => a - b)
}
