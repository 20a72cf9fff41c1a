/**
 * What a project's own settings make the program do without asking: run commands, set variables, start servers. Permissions and
 * answers about servers are left out: the program writes a person's answers there, and they begin nothing by themselves.
 */
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { parseJsonAs } from '../../../policy/parseJson.js'
import type { ProjectSettings } from '../../adapter/launch.js'
import { readRegular } from '../../files.js'
import { resolveRealPath } from '../paths.js'
import { trustedFolder } from './trust.js'
import { isMissing } from '../../../policy/errorFacts.js'

/** Names of keys by which the program runs a command, changes its environment or loads code. New ones tend to have such names too. */
const actingKey =
  /^(?:hooks|env|mcpServers|fileSuggestion)$|Helper$|[sS]tatusLine$|Refresh$|Export$|[pP]lugins$|Marketplaces$|Command$/

const objectSchema = z.record(z.string(), z.unknown())

/** Of the folder and those above it: `.mcp.json` counts in each, the settings in the folder itself and at the root of the repository. */
export async function projectSettings(cwd: string): Promise<ProjectSettings[]> {
  const folder = resolveRealPath(cwd)
  const withSettings = [...new Set([folder, await trustedFolder(folder)])]
  const files = [
    ...withSettings.flatMap((one) => [
      join(one, '.claude', 'settings.json'),
      join(one, '.claude', 'settings.local.json'),
    ]),
    ...foldersAbove(folder).map((one) => join(one, '.mcp.json')),
  ]
  const found = await Promise.all(files.map(readActing))
  return found.flatMap((one) => one ?? [])
}

/** Null if there is no such file, or if it makes the program do nothing. */
async function readActing(file: string): Promise<ProjectSettings | null> {
  let text: string
  try {
    text = await readRegular(file)
  } catch (error) {
    return isMissing(error) ? null : { file, does: ['what cannot be read'], digest: 'unread' }
  }
  const settings = parseJsonAs(text.replace(/^\uFEFF/, ''), objectSchema)
  // The program ignores such a file, or asks a person about it.
  if (settings === null) return null
  const acting = Object.entries(settings).filter(([key, value]) => actingKey.test(key) && !isEmpty(value))
  if (acting.length === 0) return null
  const content = JSON.stringify(acting.sort(([a], [b]) => (a < b ? -1 : 1)))
  const digest = createHash('sha256').update(content).digest('hex')
  return { file, does: acting.map(([key]) => key), digest }
}

const isEmpty = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.keys(value).length === 0)

function foldersAbove(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...foldersAbove(parent)]
}
