/** Examines the set-up of Claude Code for `doctor`: login, conflicting settings, version. */
import { join } from 'node:path'
import { z } from 'zod'
import { parseJsonAs } from '../../../policy/parseJson.js'
import type { AgentCommand, Place } from '../../adapter/place.js'
import type { AgentExaminer, LoginStatus } from '../../adapter/examiner.js'
import { probeEnv } from '../launch/env.js'
import { configurationConflicts, machineConflicts } from './conflicts.js'
import { hasOwnLogin, readIdentity } from './identity.js'
import { inventoryOf } from './inventory.js'
import { loginTraces } from './loginTraces.js'
import { manualCommand } from '../paths.js'
import { runProgram } from '../program.js'
import { settingsErrors } from './settingsErrors.js'

const statusSchema = z.looseObject({
  loggedIn: z.boolean(),
  authMethod: z.string().optional(),
  email: z.string().nullish(),
})

async function loginStatus(place: Place, command: AgentCommand): Promise<LoginStatus> {
  const answer = await runProgram(command, ['auth', 'status'], probeEnv(place, command), place.configDir)
  const status = parseJsonAs(answer.stdout, statusSchema)
  if (status === null) {
    if (/not logged in/i.test(answer.stdout)) return { login: 'out', loggedInAs: null, unknownBecause: null }
    const said = (answer.stderr.trim() || answer.stdout.trim()).split('\n')[0] ?? ''
    return {
      login: 'unknown',
      loggedInAs: null,
      unknownBecause: said.slice(0, 120) || `exit code ${answer.exitCode}`,
    }
  }
  if (!status.loggedIn) return { login: 'out', loggedInAs: null, unknownBecause: null }
  return { login: 'in', loggedInAs: await describeLogin(place, status), unknownBecause: null }
}

/** Older versions do not print the address. The program's own file holds it, unless a key or a token is used instead. */
async function describeLogin(place: Place, status: z.output<typeof statusSchema>): Promise<string | null> {
  if (typeof status.email === 'string' && status.email !== '') return status.email
  const method = status.authMethod ?? null
  if (method === 'claude.ai' && !hasOwnLogin(place)) return (await readIdentity(place)).email
  return method === 'api_key' ? 'an API key' : method === 'oauth_token' ? 'a token of its own' : method
}

/** Other logins, gateways and providers: a user who exported one may think that sessions use it. */
const heededVariables =
  /^(ANTHROPIC_(API_KEY|AUTH_TOKEN|BASE_URL|MODEL)|CLAUDE_CODE_(OAUTH_TOKEN|RETRY_WATCHDOG|USE_[A-Z]+)|CLAUDE_CONFIG_DIR)$/

export const claudeCodeExaminer: AgentExaminer = {
  minimumVersion: {
    version: '2.1.261',
    lacks:
      'its transcripts do not name the window of a wall and its reset, so they are parsed from its texts',
    remedy:
      'Install a newer version by its number, because npm on Node 20 picks an old one by default: ' +
      '`npm install -g @anthropic-ai/claude-code@2.1.330`.',
  },
  loginStatus,
  loginTraces,
  configurationConflicts,
  settingsErrors,
  inventory: inventoryOf,
  machineConflicts,
  withheldVariables: (env) =>
    Object.keys(env).filter((name) => heededVariables.test(name) && (env[name] ?? '') !== ''),
  privateFiles: (place) => [join(place.configDir, '.credentials.json')],
  loginCommand: (place, command) => `${manualCommand(place, command)} auth login`,
}
