/** The settings file of one launch: reports to Outpool, beside everything that the user has set themselves. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { parseJsonAs } from '../../../policy/parseJson.js'
import type { LaunchInput } from '../../agent.js'
import { AgentFileError } from '../../errors.js'
import { answeredServers } from '../setup/answers.js'
import { hookEvents, statusLineEvent } from '../reports.js'
import { quoted } from './shellWord.js'

const reportScript = fileURLToPath(new URL('report.sh', import.meta.url))
const handOverScript = fileURLToPath(new URL('hand-over.sh', import.meta.url))

/** A report takes milliseconds; one that hangs on a dead disk must not hold the agent for the default of minutes. */
const hookTimeoutSeconds = 5

/** Transcripts are what a session is resumed from: no process may sweep them away as old. */
const cleanupPeriodDays = 36_500

const statusLineSchema = z.looseObject({ type: z.string(), command: z.string() })
const settingsSchema = z.looseObject({
  statusLine: z.unknown().optional(),
  hooks: z.record(z.string(), z.array(z.unknown())).optional(),
  permissions: z.looseObject({ additionalDirectories: z.array(z.string()).optional() }).optional(),
  enabledMcpjsonServers: z.array(z.string()).optional(),
  disabledMcpjsonServers: z.array(z.string()).optional(),
})
type Settings = z.output<typeof settingsSchema>

/** The user's own arguments, with what they say about settings taken out: the program heeds only the last `--settings`. */
export interface UserArgs {
  args: string[]
  /** A file or a JSON text, or null. */
  settings: string | null
  /** The layers of settings that the user wants read. */
  sources: ReadonlySet<string>
  wantsBypass: boolean
}

export function readUserArgs(given: readonly string[]): UserArgs {
  const args: string[] = []
  let settings: string | null = null
  let sources = 'user,project,local'
  for (let i = 0; i < given.length; i++) {
    const arg = given[i] ?? ''
    if (arg === '--settings') settings = given[++i] ?? null
    else if (arg.startsWith('--settings=')) settings = arg.slice('--settings='.length)
    else args.push(arg)
    if (arg === '--setting-sources') sources = given[i + 1] ?? sources
    else if (arg.startsWith('--setting-sources=')) sources = arg.slice('--setting-sources='.length)
  }
  const mode = args.indexOf('--permission-mode')
  const wantsBypass =
    args.includes('--dangerously-skip-permissions') ||
    args.includes('--permission-mode=bypassPermissions') ||
    (mode >= 0 && args[mode + 1] === 'bypassPermissions')
  return { args, settings, sources: new Set(sources.split(',').map((one) => one.trim())), wantsBypass }
}

/** The whole settings file of this launch; `folders` are those that the agent may read beside its own. Throws AgentFileError where the user's own `--settings` can't be read. */
export async function launchSettings(
  input: LaunchInput,
  user: UserArgs,
  folders: readonly string[],
): Promise<Record<string, unknown>> {
  const own = user.settings === null ? {} : await userSettings(user.settings, input.cwd)
  const statusLine = await userStatusLine(input, own, user.sources)
  return {
    ...own,
    hooks: mergedHooks(own.hooks ?? {}, input),
    statusLine: {
      ...statusLine,
      type: 'command',
      command: reportCommand(input, statusLineEvent, 'newest', statusLine?.command),
    },
    // The old pane would wake up by itself and work beside the resumed one.
    autoContinueAtUsageLimit: false,
    cleanupPeriodDays,
    ...(await projectServers(input, own)),
    ...(folders.length > 0 ? { permissions: withFolders(own.permissions, folders) } : {}),
    ...(user.wantsBypass ? { skipDangerousModePermissionPrompt: true } : {}),
  }
}

/** What a person has answered elsewhere about this project's MCP servers goes along: the program would ask again for each login. */
async function projectServers({ place, cwd, answeredAt = [] }: LaunchInput, own: Settings) {
  const { enabled, disabled } = await answeredServers(place, answeredAt, cwd)
  return {
    ...(enabled.length === 0
      ? {}
      : { enabledMcpjsonServers: [...(own.enabledMcpjsonServers ?? []), ...enabled] }),
    ...(disabled.length === 0
      ? {}
      : { disabledMcpjsonServers: [...(own.disabledMcpjsonServers ?? []), ...disabled] }),
  }
}

/** By `--add-dir` instead, a start may stand in a dialog about it. */
const withFolders = (own: Settings['permissions'], folders: readonly string[]): Settings['permissions'] => ({
  ...own,
  additionalDirectories: [...(own?.additionalDirectories ?? []), ...folders],
})

function mergedHooks(own: Record<string, unknown[]>, input: LaunchInput): Record<string, unknown[]> {
  const hooks: Record<string, unknown[]> = { ...own }
  for (const [event, body] of Object.entries(hookEvents)) {
    const command = reportCommand(input, event, body)
    const ours = { hooks: [{ type: 'command', command, timeout: hookTimeoutSeconds }] }
    hooks[event] = [...(hooks[event] ?? []), ours]
  }
  if (input.handOver) {
    const command = `exec /bin/sh ${[handOverScript, input.handOver].map(quoted).join(' ')}`
    const tells = { hooks: [{ type: 'command', command, timeout: hookTimeoutSeconds }] }
    hooks['UserPromptSubmit'] = [...(hooks['UserPromptSubmit'] ?? []), tells]
  }
  return hooks
}

/** The program runs this text through a shell; `exec` spares a process. */
function reportCommand(
  input: LaunchInput,
  event: string,
  body: 'keep' | 'newest' | 'drop',
  user?: string,
): string {
  const words = [reportScript, input.reportDir, event, input.session, String(input.fence), body]
  if (user !== undefined) words.push(user)
  return `exec /bin/sh ${words.map(quoted).join(' ')}`
}

async function userSettings(given: string, cwd: string): Promise<Settings> {
  const inline = given.trimStart().startsWith('{')
  const file = inline ? '--settings' : join(given.startsWith('/') ? '' : cwd, given)
  try {
    return settingsSchema.parse(JSON.parse(inline ? given : await readFile(file, 'utf8')))
  } catch (cause) {
    throw new AgentFileError(file, 'can not be read as settings of the agent', { cause })
  }
}

/** The status line that would be in force without us, nearest first. A broken file is the program's to complain about. */
async function userStatusLine(
  input: LaunchInput,
  own: Settings,
  sources: ReadonlySet<string>,
): Promise<z.output<typeof statusLineSchema> | undefined> {
  const layers: [string, string][] = [
    ['local', join(input.cwd, '.claude', 'settings.local.json')],
    ['project', join(input.cwd, '.claude', 'settings.json')],
    ['user', join(input.place.configDir, 'settings.json')],
  ]
  const given = statusLineSchema.safeParse(own.statusLine)
  if (given.success) return given.data
  for (const [source, file] of layers) {
    if (!sources.has(source)) continue
    const found = statusLineSchema.safeParse(await statusLineIn(file))
    if (found.success) return found.data
  }
  return undefined
}

async function statusLineIn(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return parseJsonAs(text, settingsSchema)?.statusLine
}
