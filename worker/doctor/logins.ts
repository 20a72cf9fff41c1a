/** The logins: whether each account has one, of which user, and whether two accounts have the same one. */
import type { HostDomains } from '../../host/identity/failureDomains.js'
import type { AgentCommand, Place } from '../../agents/adapter/place.js'
import type { AgentExaminer } from '../../agents/adapter/examiner.js'
import {
  type FailureDomain,
  type SharedDomain,
  acceptedOverlaps,
  duplicateLogins,
  sharedDomains,
} from '../../policy/independence/failureDomains.js'
import { independenceRemedy } from '../../host/errors.js'
import { type Finding, fail, ok, warn } from './finding.js'

/** Throws AgentProgramError. */
export async function checkLogin(
  place: Place,
  command: AgentCommand,
  examiner: AgentExaminer,
): Promise<Finding> {
  const name = `login ${place.name}`
  const { login, loggedInAs, unknownBecause } = await examiner.loginStatus(place, command)
  const byHand = examiner.loginCommand(place, command)
  if (login === 'out') return fail(name, 'not logged in', `Log in with: ${byHand}`)
  if (login === 'unknown')
    return warn(
      name,
      `could not be read: ${unknownBecause ?? 'no reason given'}`,
      `Check it by hand: ${byHand}`,
    )
  return ok(name, loggedInAs === null ? 'logged in' : `logged in as ${loggedInAs}`)
}

/** Law 1: the healer's side and the pool's, by identity, path, gateway and secret. */
export function checkIndependence({ healer, pool, unread }: HostDomains): Finding[] {
  const name = 'law 1'
  const refused = sharedDomains(healer, pool).map(({ message }) => fail(name, message, independenceRemedy))
  const notRead = unread.map((what) =>
    warn(name, `could not be read: ${what}`, 'Correct it, then run `outpool doctor` again.'),
  )
  if (refused.length > 0) return [...refused, ...notRead]
  return [ok(name, describeIndependence(healer, acceptedOverlaps(healer, pool))), ...notRead]
}

function describeIndependence(healer: readonly FailureDomain[], common: readonly SharedDomain[]): string {
  if (healer.length === 0) return 'no reserved account is configured that could overlap'
  const names = healer.map((one) => one.name).join(', ')
  const verb = healer.length === 1 ? 'shares' : 'share'
  if (common.length === 0) return `${names} ${verb} nothing with the pool`
  return `${names} ${verb} no login with the pool; accepted: ${common.map(({ message }) => message).join('; ')}`
}

/** Law 4: the same login under two names has one budget, and is used under the first name only. */
export const checkDuplicates = ({ healer, pool }: HostDomains): Finding[] =>
  [pool, healer]
    .map((side) => side.filter(({ what }) => what.endsWith('account')))
    .flatMap((accounts) => duplicateLogins(accounts))
    .map(({ name, sameAs }) =>
      warn(
        `login ${name}`,
        `duplicate: the same login as ${sameAs}; it is one account, and only ${sameAs} is used`,
        `Log ${name} in with another account, or remove it from outpool.yaml.`,
      ),
    )
