/** Checks names; in a separate file so that a check does not load the engine's library. */
import { namePattern } from '../policy/ids.js'
import { UsageError } from './errors.js'

/** Throws UsageError if the text cannot be a name. */
export function checkName(name: string, of: 'session' | 'service' | 'account' = 'session'): string {
  if (namePattern.test(name)) return name
  throw new UsageError(
    `${JSON.stringify(name)} cannot be a ${of}'s name`,
    'use small letters, digits, - and _ (at most 63, a letter or digit first)',
  )
}
