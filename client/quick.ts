/**
 * The commands that a person waits for most, as the worker of this host answers them. The build puts them into one file, without the
 * rest of the program: finding and compiling that would take longer than the answer.
 */
import { completeNames } from './completion/completeNames.js'
import { FleetReader } from './fleet/fleetReader.js'
import { main } from './program.js'

/** Thrown when the worker does not answer: the whole program has to run. */
class WorkerSilentError extends Error {
  override readonly name = 'WorkerSilentError'
}

const silent = (): Promise<never> => Promise.reject(new WorkerSilentError())
const isSilence = (error: unknown): boolean => error instanceof WorkerSilentError

/** False if it has printed nothing but remarks on the configuration, and the whole program has to run. build.mjs names the commands. */
export const runQuickly = ([command = '', ...words]: readonly string[]): Promise<boolean> =>
  command === '__complete'
    ? completes(words)
    : main([command, ...words], {
        ...{ fleet: new FleetReader({ otherwise: silent }), isHandedOver: isSilence },
      })

async function completes(words: readonly string[]): Promise<boolean> {
  try {
    await completeNames(words, silent)
    return true
  } catch (error) {
    if (isSilence(error)) return false
    throw error
  }
}
