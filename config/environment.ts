/** The environment of every program that Outpool starts for the user. */
import { passedEnvironment } from '../policy/environment.js'
import type { Config } from './config.js'

/**
 * What every such program gets of the worker's environment. A secret that the configuration takes from a variable is not among it:
 * only the place that refers to it gets it, under the name that is written there.
 */
export const programEnvironment = (
  { env }: Pick<Config, 'env'>,
  of: NodeJS.ProcessEnv = process.env,
): Record<string, string> => passedEnvironment(of, env)
