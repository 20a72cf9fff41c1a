/** Reads which login a place has from the program's own files, without starting it. No token is ever read. */
import { z } from 'zod'
import type { Window } from '../../../policy/account/account.js'
import type { Place } from '../../adapter/place.js'
import { type GlobalConfig, readGlobalConfig } from './globalFile.js'
import { cachedWindows } from '../limits/quota.js'

const accountSchema = z.object({
  accountUuid: z.string().min(1),
  emailAddress: z.string().nullish(),
})

/** With one of these variables the stored login is not used. */
export const otherLogins = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN']

export interface Identity {
  identity: string | null
  email: string | null
  windows: Window[]
}

/** Whether the place's environment holds another login. */
export const hasOwnLogin = (place: Place): boolean =>
  otherLogins.some((name) => (place.env[name] ?? '') !== '')

/** Null and empty if no stored login is used. Throws AgentFileError for a broken `.claude.json`. */
export async function readIdentity(place: Place): Promise<Identity> {
  return hasOwnLogin(place)
    ? { identity: null, email: null, windows: [] }
    : identityIn(await readGlobalConfig(place))
}

function identityIn(config: GlobalConfig): Identity {
  const account = accountSchema.safeParse(config.oauthAccount).data
  const identity = account?.accountUuid ?? null
  return {
    identity,
    email: account?.emailAddress ?? null,
    windows: cachedWindows(config.cachedUsageUtilization, identity),
  }
}
