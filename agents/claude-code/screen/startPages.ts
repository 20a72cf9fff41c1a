/** Pages that the program opens at its start: their description for a person, and a fingerprint that shows when one may be answered. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Dialog, StartPage } from '../../adapter/dialogs.js'
import type { AgentCommand, Place } from '../../adapter/place.js'
import { readRegular } from '../../files.js'
import { readAnswers } from '../setup/answers.js'
import { type GlobalConfig, readGlobalConfig } from '../setup/globalFile.js'
import { manualCommand } from '../paths.js'
import { isRule, plainLines } from './screen.js'

/** Pages that concern the account, in whatever folder a session works. */
const accountWidePages = [
  'bypass-permissions',
  'api-key',
  'theme',
  'security-notes',
  'login-method',
  'login-code',
]

/** The description of a page has to fit on one line. */
const titleMax = 120
/** How many of the rejected settings are named. */
const keysNamed = 3

/** Describes the page on which `dialog` was read, for a person who does not see it. */
export function describeStartPage(
  screen: string,
  dialog: Dialog,
  place: Place,
  command: AgentCommand,
  cwd: string,
): StartPage {
  const lines = plainLines(screen)
  const page = lines.slice(lines.findLastIndex(isRule) + 1)
  const [title = dialog.prompt] = page.map((line) => line.trim()).filter((line) => line !== '')
  const named = `"${title.slice(0, titleMax)}"`
  if (dialog.name === 'settings-error') {
    const { file, keys } = settingsComplaint(page, place)
    return {
      what: `${named} about ${file}${keys.length === 0 ? '' : ` (${keys.join(', ')})`}`,
      remedy: `repair ${file}`,
      cwd: file.startsWith(`${place.configDir}/`) ? null : cwd,
    }
  }
  return {
    what: named,
    remedy: `answer it once by hand: cd ${cwd} && ${manualCommand(place, command)}`,
    cwd: accountWidePages.includes(dialog.name) ? null : cwd,
  }
}

/** The file that a page about settings names, and its rejected keys. A long path continues on the next line. */
function settingsComplaint(page: readonly string[], place: Place): { file: string; keys: string[] } {
  const lines = page.map((line) => line.trim()).filter((line) => line !== '')
  const first = lines.findIndex((line) => /^[├└]/.test(line))
  const path = lines.slice(1, first < 0 ? 2 : first).join('')
  const file = path.startsWith('~/') ? join(place.env['HOME'] ?? homedir(), path.slice(2)) : path
  const keys = lines.flatMap((line) => /^[├└] ([\w.[\]-]+):/.exec(line)?.[1] ?? [])
  return { file, keys: [...new Set(keys)].slice(0, keysNamed) }
}

/**
 * Changes when a person has changed something on which the program's pages depend for a session in `cwd`: settings, the
 * project's MCP servers and memory, and the answers here and at `others`. Reveals nothing of their content.
 */
export async function startPageFingerprint(
  place: Place,
  cwd: string,
  others: readonly Place[],
): Promise<string> {
  const files = [
    join(place.configDir, 'settings.json'),
    join(cwd, '.claude', 'settings.json'),
    join(cwd, '.claude', 'settings.local.json'),
    join(cwd, '.mcp.json'),
    join(cwd, 'CLAUDE.md'),
    join(cwd, '.claude', 'CLAUDE.md'),
    join(cwd, 'CLAUDE.local.md'),
  ]
  const global = await readGlobalConfig(place).catch((): GlobalConfig => ({}))
  const login = await stat(join(place.configDir, '.credentials.json')).catch(() => null)
  const known = [
    ...(await Promise.all([place, ...others].map((one) => readAnswers(one, cwd)))),
    global.hasCompletedOnboarding,
    global.customApiKeyResponses,
    global['bypassPermissionsModeAccepted'],
    login !== null,
  ]
  const hash = createHash('sha256').update(JSON.stringify(known))
  for (const file of files) hash.update(await readRegular(file).catch(() => 'none')).update('\0')
  return hash.digest('hex')
}
