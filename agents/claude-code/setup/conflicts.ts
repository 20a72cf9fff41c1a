/** Finds settings of the program under which Outpool cannot watch, resume or move its sessions. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { AgentCommand, Place } from '../../adapter/place.js'
import type { ConfigurationConflict } from '../../adapter/examiner.js'
import { readRegular } from '../../files.js'
import { hasOwnLogin, otherLogins } from './identity.js'
import { errorCode } from '../../../policy/errorFacts.js'

const settingsSchema = z.looseObject({
  disableAllHooks: z.unknown().optional(),
  allowManagedHooksOnly: z.unknown().optional(),
  apiKeyHelper: z.unknown().optional(),
  cleanupPeriodDays: z.number().optional().catch(undefined),
  env: z.record(z.string(), z.unknown()).optional().catch(undefined),
})
type Settings = z.output<typeof settingsSchema>

/** A session may be parked for a week, and its transcript is not written meanwhile; this is twice as long. */
const leastCleanupDays = 14

const otherProviders = ['CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX', 'CLAUDE_CODE_USE_FOUNDRY']

const unsavedSessionVariables = 'no transcript is saved, so that no session can be resumed'

/** Variables that do harm wherever they are set, and why. */
const harmfulVariables: readonly (readonly [name: string, why: string])[] = [
  ['CLAUDE_CODE_RETRY_WATCHDOG', 'hides every limit behind a long wait, so that no session is ever moved'],
  ['CLAUDE_CODE_SKIP_PROMPT_HISTORY', unsavedSessionVariables],
  ['CLAUDE_CODE_CHILD_SESSION', unsavedSessionVariables],
]

/** Values that mean no, in an environment or in settings; every other value means yes. */
const offValues: readonly unknown[] = [undefined, null, false, 0, '', '0', 'false', 'no', 'off']
const isOn = (value: unknown): boolean =>
  !offValues.includes(typeof value === 'string' ? value.toLowerCase() : value)

/** The files of settings that an administrator sets for all users, and that override all others. */
async function managedFiles(): Promise<string[]> {
  const folder =
    process.platform === 'darwin' ? '/Library/Application Support/ClaudeCode' : '/etc/claude-code'
  const more = join(folder, 'managed-settings.d')
  const names = await readdir(more).catch(() => [])
  return [
    join(folder, 'managed-settings.json'),
    ...names.filter((name) => name.endsWith('.json')).map((name) => join(more, name)),
  ]
}

export async function machineConflicts(files?: readonly string[]): Promise<ConfigurationConflict[]> {
  const found = (files ?? (await managedFiles())).map(async (file) => {
    const settings = await readSettings(file)
    return 'state' in settings ? [settings] : conflictsInSettings(settings.settings, file, 'managed', true)
  })
  return (await Promise.all(found)).flat()
}

export async function configurationConflicts(
  place: Place,
  command: AgentCommand,
): Promise<ConfigurationConflict[]> {
  const file = join(place.configDir, 'settings.json')
  const settings = await readSettings(file)
  return [
    ...('state' in settings
      ? [settings]
      : conflictsInSettings(settings.settings, file, 'own', !hasOwnLogin(place))),
    ...conflictsInEnv(place.env, `env of ${place.name}`),
    ...conflictsInEnv(command.env, 'env of the agent'),
  ]
}

export async function readSettings(file: string): Promise<{ settings: Settings } | ConfigurationConflict> {
  let text: string
  try {
    text = await readRegular(file)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { settings: {} }
    const remedy = 'Make it readable for this user.'
    return { state: 'warn', what: `${file} cannot be read, so its settings are unknown`, remedy }
  }
  try {
    const parsed: unknown = JSON.parse(text.trim() === '' ? '{}' : text.replace(/^\uFEFF/, ''))
    return { settings: settingsSchema.parse(parsed) }
  } catch {
    const what = `${file} is not a valid settings file: the agent ignores it or asks a person about it`
    return {
      state: 'fail',
      what,
      unusableFile: file,
      remedy: 'Repair the file; `claude doctor` says what is wrong in it.',
    }
  }
}

function conflictsInSettings(
  settings: Settings,
  file: string,
  layer: 'own' | 'managed',
  storedLogin: boolean,
): ConfigurationConflict[] {
  const remove = (what: string): string =>
    layer === 'managed'
      ? `Ask the administrator of ${file} to remove ${what}.`
      : `Remove ${what} from ${file}.`
  const blind = (key: string): ConfigurationConflict => ({
    state: 'fail',
    what: `${key} in ${file} keeps Outpool's hooks from running, so that it could not watch a session`,
    remedy: remove(key),
  })
  const days = settings.cleanupPeriodDays
  return [
    ...(isOn(settings.disableAllHooks) ? [blind('disableAllHooks')] : []),
    ...(layer === 'managed' && isOn(settings.allowManagedHooksOnly) ? [blind('allowManagedHooksOnly')] : []),
    ...(storedLogin && isOn(settings.apiKeyHelper)
      ? [otherLoginConflict('apiKeyHelper', file, remove('apiKeyHelper'))]
      : []),
    ...(days !== undefined && days < leastCleanupDays ? [cleanupConflict(days, file, layer)] : []),
    ...conflictsInSettingsEnv(settings.env ?? {}, file, remove, storedLogin),
  ]
}

function conflictsInSettingsEnv(
  env: Record<string, unknown>,
  file: string,
  remove: (what: string) => string,
  storedLogin: boolean,
): ConfigurationConflict[] {
  const set = (name: string): boolean => isOn(env[name])
  return [
    ...(storedLogin
      ? [...otherLogins, ...otherProviders]
          .filter(set)
          .map((name) => otherLoginConflict(`env.${name}`, file, remove(`env.${name}`)))
      : []),
    ...harmfulVariables
      .filter(([name]) => set(name))
      .map(([name, why]) => ({
        state: 'fail' as const,
        what: `env.${name} in ${file}: ${why}`,
        remedy: remove(`env.${name}`),
      })),
  ]
}

const otherLoginConflict = (key: string, file: string, remedy: string): ConfigurationConflict => ({
  state: 'fail',
  what: `${key} in ${file} is used instead of the login: budgets and walls would be those of another account`,
  remedy,
})

/** Outpool's launches set it high, which only managed settings override. But a person's own start would delete transcripts. */
const cleanupConflict = (days: number, file: string, layer: 'own' | 'managed'): ConfigurationConflict => ({
  state: layer === 'managed' ? 'fail' : 'warn',
  what: `cleanupPeriodDays is ${days} in ${file}: transcripts of parked sessions would be deleted`,
  remedy: `Set cleanupPeriodDays to ${leastCleanupDays} or more, or remove it.`,
})

const conflictsInEnv = (env: Readonly<Record<string, string>>, where: string): ConfigurationConflict[] =>
  harmfulVariables
    .filter(([name]) => isOn(env[name]))
    .map(([name, why]) => ({
      state: 'fail',
      what: `${name} in the ${where} (outpool.yaml): ${why}`,
      remedy: `Remove ${name} from that env.`,
    }))
