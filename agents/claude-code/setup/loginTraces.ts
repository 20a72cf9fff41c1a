/** Everything that could show that two places have the same login. No token is read. */
import { join } from 'node:path'
import { z } from 'zod'
import type { AgentCommand, Place } from '../../adapter/place.js'
import type { LoginTraces } from '../../adapter/examiner.js'
import { readGlobalConfig } from './globalFile.js'
import { readSettings } from './conflicts.js'
import { otherLogins } from './identity.js'

const maybe = z.string().min(1).nullish().catch(null)
const accountSchema = z
  .object({ accountUuid: maybe, emailAddress: maybe, organizationUuid: maybe })
  .catch({ accountUuid: null, emailAddress: null, organizationUuid: null })

/**
 * The stored login counts even if a key takes precedence, because it is used again once the key is removed.
 * Throws AgentFileError for a broken `.claude.json`.
 */
export async function loginTraces(place: Place, command: AgentCommand): Promise<LoginTraces> {
  const stored = accountSchema.parse((await readGlobalConfig(place)).oauthAccount)
  const env = { ...command.env, ...place.env }
  // Moves the stored login out of the config dir (undocumented, CLAUDE-CODE issue 79223).
  const credentialDir = env['CLAUDE_SECURESTORAGE_CONFIG_DIR'] ?? ''
  const folder = credentialDir === '' ? place.configDir : credentialDir
  return {
    identity: stored.accountUuid ?? null,
    email: stored.emailAddress ?? null,
    organisation: stored.organizationUuid ?? null,
    stores: [
      place.configDir,
      ...(folder === place.configDir ? [] : [folder]),
      join(folder, '.credentials.json'),
    ],
    keys: await settingsKeys(place),
  }
}

/** Keys in the place's own settings. `doctor` reports settings that cannot be read. */
async function settingsKeys(place: Place): Promise<Record<string, string>> {
  const read = await readSettings(join(place.configDir, 'settings.json'))
  if ('state' in read) return {}
  const { env = {}, apiKeyHelper } = read.settings
  const named = [
    ...otherLogins.map((name) => [name, env[name]] as const),
    ['apiKeyHelper', apiKeyHelper] as const,
  ]
  return Object.fromEntries(
    named.flatMap(([name, value]) => (typeof value === 'string' && value !== '' ? [[name, value]] : [])),
  )
}
