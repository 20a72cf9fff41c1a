/** Names for the shell from the configuration file. */
import { configuredNames } from '../../config/configuredNames.js'
import { loadConfig } from '../../config/load/load.js'
import type { ReadNames } from './completeNames.js'

/** None if the configuration is wrong or missing: the command itself reports why. */
export const namesInFile: ReadNames = (kind) => {
  try {
    return Promise.resolve(configuredNames(loadConfig(), kind))
  } catch {
    return Promise.resolve([])
  }
}
