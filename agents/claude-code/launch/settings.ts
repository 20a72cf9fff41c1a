/** The settings file of one launch: the user's own settings, and the reports to Outpool. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { parseJsonAs } from '../../../policy/parseJson.js'
import { shellWord } from '../../../policy/shellWord.js'
import type { LaunchInput } from '../../adapter/launch.js'
import { AgentFileError } from '../../errors.js'
import { readRegular } from '../../files.js'
import { answeredServers } from '../setup/answers.js'
import { hookEvents, statusLineEvent } from '../reports.js'

const reportScript = fileURLToPath(new URL('report.sh', import.meta.url))
const handOverScript = fileURLToPath(new URL('hand-over.sh', import.meta.url))

/** A report takes milliseconds. If it hangs on a broken disk, the agent must not wait for the default of minutes. */
const hookTimeoutSeconds = 5

/** Sessions are resumed from transcripts, so the program must never delete old ones. */
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

/** The user's own arguments, with `--settings` separated, because the program reads only the last one. */
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

/** The whole settings file. `folders`: what the agent may read beside `cwd`. Throws AgentFileError if the user's own `--settings` can't be read. */
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
    // Otherwise an old process could continue by itself beside the resumed one.
    autoContinueAtUsageLimit: false,
    cleanupPeriodDays,
    ...(await projectServers(input, own)),
    ...(folders.length > 0 ? { permissions: withFolders(own.permissions, folders) } : {}),
    ...(user.wantsBypass ? { skipDangerousModePermissionPrompt: true } : {}),
  }
}

/** A person's answers about this project's MCP servers at other places: the program would ask again for each login. */
async function projectServers({ place, cwd, placesWithAnsweredPages = [] }: LaunchInput, own: Settings) {
  const { enabled, disabled } = await answeredServers(place, placesWithAnsweredPages, cwd)
  return {
    ...(enabled.length === 0
      ? {}
      : { enabledMcpjsonServers: [...(own.enabledMcpjsonServers ?? []), ...enabled] }),
    ...(disabled.length === 0
      ? {}
      : { disabledMcpjsonServers: [...(own.disabledMcpjsonServers ?? []), ...disabled] }),
  }
}

/** `--add-dir` would open a dialog at the start. */
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
    const command = scriptCommand([handOverScript, input.handOver])
    const hook = { hooks: [{ type: 'command', command, timeout: hookTimeoutSeconds }] }
    hooks['UserPromptSubmit'] = [...(hooks['UserPromptSubmit'] ?? []), hook]
  }
  return hooks
}

function reportCommand(
  input: LaunchInput,
  event: string,
  body: 'keep' | 'newest' | 'drop',
  user?: string,
): string {
  const words: [string, ...string[]] = [
    reportScript,
    input.reportDir,
    event,
    input.session,
    String(input.fence),
    body,
  ]
  if (user !== undefined) words.push(user)
  return scriptCommand(words)
}

/**
 * The program passes this text to a shell; `exec` saves a process. While an upgrade replaces Outpool, the script may be missing: the
 * shell would exit with 2, by which a hook refuses the person's prompt.
 */
const scriptCommand = ([script, ...args]: [script: string, ...args: string[]]): string =>
  `[ ! -r ${shellWord(script)} ] || exec /bin/sh ${[script, ...args].map(shellWord).join(' ')}`

async function userSettings(given: string, cwd: string): Promise<Settings> {
  const inline = given.trimStart().startsWith('{')
  const file = inline ? '--settings' : join(given.startsWith('/') ? '' : cwd, given)
  try {
    return settingsSchema.parse(JSON.parse(inline ? given : await readRegular(file)))
  } catch (cause) {
    throw new AgentFileError(file, 'cannot be read as settings of the agent', { cause })
  }
}

/** The status line that the user has configured, from the innermost layer that has one. Broken files are skipped: the program reports them. */
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
  const text = await readRegular(file).catch(() => '')
  return parseJsonAs(text, settingsSchema)?.statusLine
}
