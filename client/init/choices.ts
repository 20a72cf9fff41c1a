/** What `outpool init` is to write: chosen by a person, or by default. */
import { accountNameFor, unusedName } from '../../config/accountNames.js'
import type { FoundLogin } from './findLogins.js'

export interface Choices {
  /** `ceiling`: such as `80%`, for a login that a person uses too; null leaves the default. */
  pool: { login: FoundLogin; ceiling: string | null }[]
  reserved: FoundLogin[]
  /** Names of variables that hold the key of a fallback. */
  keys: string[]
}

/** Without a person to ask: their own login only if `wantsOwn`, and no fallback, since it costs money. */
export function defaultChoices(logins: readonly FoundLogin[], wantsOwn: boolean): Choices {
  const usable = logins.filter(({ isDefault }) => !isDefault || wantsOwn)
  return {
    pool: usable.filter(({ forHealer }) => !forHealer).map((login) => ({ login, ceiling: null })),
    reserved: usable.filter(({ forHealer }) => forHealer),
    keys: [],
  }
}

const keyPattern = /^(?:[A-Z0-9_]+_)?ANTHROPIC_API_KEY$|^OUTPOOL_[A-Z0-9_]*KEY$/

/** The variables that look like a key for the API, by their names alone: no value is read. */
export const keyNames = (env: NodeJS.ProcessEnv): string[] =>
  Object.keys(env)
    .filter((name) => keyPattern.test(name))
    .sort()

/** The model that a key is offered for: the cheapest that does the work. */
export const fallbackModel = 'claude-haiku-4-5'

/** `OUTPOOL_HAIKU_KEY` gives `haiku-key`. */
export function substrateNames(keys: readonly string[], taken: readonly string[]): string[] {
  const names: string[] = []
  for (const key of keys) {
    const wanted = accountNameFor(
      key
        .replace(/^OUTPOOL_/, '')
        .replaceAll('_', '-')
        .toLowerCase(),
    )
    names.push(unusedName(wanted, [...taken, ...names]))
  }
  return names
}
