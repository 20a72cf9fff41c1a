/** The logins: whether each account has one, as whom, and whether two names are one login. */
import { agentNamed } from '../../agents/index.js'
import type { AgentCommand, Place } from '../../agents/agent.js'
import type { AgentExaminer } from '../../agents/examiner.js'
import type { Config } from '../../config/config.js'
import { duplicateLogins } from '../../policy/failureDomains.js'
import { assertApart } from '../apart.js'
import { SharedDomainError } from '../errors.js'
import { type Finding, fail, ok, warn } from './finding.js'

/** Throws AgentProgramError. */
export async function checkLogin(
  place: Place,
  command: AgentCommand,
  examiner: AgentExaminer,
): Promise<Finding> {
  const name = `login ${place.name}`
  const { login, as, unclear } = await examiner.loginStatus(place, command)
  const byHand = examiner.loginCommand(place, command)
  if (login === 'out') return fail(name, 'nobody is logged in', `Log in there: ${byHand}`)
  if (login === 'unknown')
    return warn(name, `could not be read: ${unclear ?? 'no reason given'}`, `Look yourself: ${byHand}`)
  return ok(name, as === null ? 'logged in' : `logged in as ${as}`)
}

/** Law 4: the same login under two names has one budget, and is used under the first name only. */
export async function checkDuplicates(
  agent: string,
  groups: readonly (readonly Place[])[],
): Promise<Finding[]> {
  const found = groups.map(async (places) => {
    const accounts = await Promise.all(
      places.map(async (place) => {
        const { identity } = await agentNamed(agent)
          .readIdentity(place)
          // A broken file is told where the login is asked for.
          .catch(() => ({ identity: null }))
        return { name: place.name, identity }
      }),
    )
    return duplicateLogins(accounts).map(({ name, sameAs }) =>
      warn(
        `login ${name}`,
        `duplicate: the same login as ${sameAs}; it is one account, and only ${sameAs} is used`,
        `Log ${name} in with another account, or take it out of outpool.yaml.`,
      ),
    )
  })
  return (await Promise.all(found)).flat()
}

/** Law 1, by identity, path and secret. */
export async function checkApart(config: Config): Promise<Finding[]> {
  const name = 'law 1'
  try {
    await assertApart(config)
  } catch (error) {
    if (!(error instanceof SharedDomainError)) throw error
    return error.message.split('\n').map((line) => fail(name, line, error.remedy))
  }
  const { reserved } = config
  if (reserved.length === 0) return [ok(name, 'no reserved account is configured that could overlap')]
  return [ok(name, `${reserved.map((account) => account.name).join(', ')} shares nothing with the pool`)]
}
