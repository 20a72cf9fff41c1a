/**
 * A person's answers for one project at one place. The program stores them in several files: imports from outside the project in
 * the place's own `.claude.json`, the project's MCP servers mostly in the project (which all places share), and answers for all
 * projects of the place in its `settings.json`.
 */
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { parseJsonAs } from '../../../policy/parseJson.js'
import type { Place } from '../../adapter/place.js'
import { readRegular } from '../../files.js'
import { type GlobalConfig, readGlobalConfig } from './globalFile.js'
import { readSettings } from './conflicts.js'
import { resolveRealPath } from '../paths.js'
import { trustedFolder } from './trust.js'

/** Servers of the project's `.mcp.json` that may be used, and those that may not. */
export interface ServerAnswers {
  enabled: string[]
  disabled: string[]
}

export interface ProjectAnswers extends ServerAnswers {
  /** Whether the project may import files from outside, by the key under which the program stores the project. */
  imports: Record<string, boolean>
}

const names = z.array(z.string()).optional().catch(undefined)
const serversSchema = z.looseObject({
  enableAllProjectMcpServers: z.boolean().optional().catch(undefined),
  enabledMcpjsonServers: names,
  disabledMcpjsonServers: names,
})
/** Older versions stored the servers here too; newer ones move them to the project when they start there. */
const projectSchema = serversSchema.extend({
  hasClaudeMdExternalIncludesApproved: z.boolean().optional().catch(undefined),
  hasClaudeMdExternalIncludesWarningShown: z.boolean().optional().catch(undefined),
})
const mcpFileSchema = z.looseObject({ mcpServers: z.record(z.string(), z.unknown()) })

type Imports = ProjectAnswers['imports']

/** A file that can't be read counts as without answers. */
export async function readAnswers(place: Place, cwd: string): Promise<ProjectAnswers> {
  const keys = await projectKeys(cwd)
  const config = await readGlobalConfig(place).catch((): GlobalConfig => ({}))
  const servers = await serversOf(keys)
  const user = await settingsIn(join(place.configDir, 'settings.json'))
  const layers = [user, ...keys.map((key) => projectIn(config, key))]
  return { imports: importsIn(config, keys), ...servedBy(servers, layers) }
}

/** Answers about the project's imports at one of `places` (the first one counts) that are not in `config` yet. */
export async function answeredImports(
  places: readonly Place[],
  cwd: string,
): Promise<(config: GlobalConfig) => [key: string, isApproved: boolean][]> {
  if (places.length === 0) return () => []
  const keys = await projectKeys(cwd)
  let given: Imports = {}
  for (const place of places) {
    const config = await readGlobalConfig(place).catch((): GlobalConfig => ({}))
    given = { ...importsIn(config, keys), ...given }
  }
  return (config) => {
    const own = importsIn(config, keys)
    return Object.entries(given).filter(([key]) => own[key] === undefined)
  }
}

/** Answers about the project's servers at one of `elsewhere` that are missing at this place and in the project itself. */
export async function answeredServers(
  place: Place,
  elsewhere: readonly Place[],
  cwd: string,
): Promise<ServerAnswers> {
  const given: ServerAnswers = { enabled: [], disabled: [] }
  // Most projects have no such servers, so nothing else needs to be read.
  const servers = elsewhere.length === 0 ? [] : await serversOf(await projectKeys(cwd))
  if (servers.length === 0) return given
  for (const other of elsewhere) {
    const { enabled, disabled } = await readAnswers(other, cwd)
    const [moreEnabled, moreDisabled] = [newTo(given, enabled), newTo(given, disabled)]
    given.enabled.push(...moreEnabled)
    given.disabled.push(...moreDisabled)
  }
  const files = ['settings.json', 'settings.local.json'].map((name) => join(cwd, '.claude', name))
  const project = servedBy(servers, await Promise.all(files.map(settingsIn)))
  const own = await readAnswers(place, cwd)
  const rest = (names: string[]): string[] => newTo(own, newTo(project, names))
  return { enabled: rest(given.enabled), disabled: rest(given.disabled) }
}

const projectIn = ({ projects }: GlobalConfig, key: string): z.output<typeof projectSchema> =>
  projectSchema.parse(projects?.[key] ?? {})

function importsIn(config: GlobalConfig, keys: readonly string[]): Imports {
  const answered = keys.flatMap((key) => {
    const project = projectIn(config, key)
    const isApproved = project.hasClaudeMdExternalIncludesApproved === true
    const isAnswered = isApproved || project.hasClaudeMdExternalIncludesWarningShown === true
    return isAnswered ? [[key, isApproved] as const] : []
  })
  return Object.fromEntries(answered)
}

const newTo = ({ enabled, disabled }: ServerAnswers, servers: readonly string[]): string[] =>
  servers.filter((name) => !enabled.includes(name) && !disabled.includes(name))

/** A refusal takes precedence over an approval, as in the program. */
function servedBy(
  servers: readonly string[],
  layers: readonly z.output<typeof serversSchema>[],
): ServerAnswers {
  const isDisabled = (name: string): boolean =>
    layers.some(({ disabledMcpjsonServers }) => disabledMcpjsonServers?.includes(name))
  const isEnabled = (name: string): boolean =>
    layers.some(
      (layer) =>
        layer.enableAllProjectMcpServers === true || layer.enabledMcpjsonServers?.includes(name) === true,
    )
  return {
    disabled: servers.filter(isDisabled),
    enabled: servers.filter((name) => isEnabled(name) && !isDisabled(name)),
  }
}

async function settingsIn(file: string): Promise<z.output<typeof serversSchema>> {
  const found = await readSettings(file)
  return serversSchema.parse('state' in found ? {} : found.settings)
}

/** The keys under which the program may store this project: the root of its repository, of a linked worktree, or the folder. */
async function projectKeys(cwd: string): Promise<string[]> {
  const folder = resolveRealPath(cwd)
  return [...new Set([await trustedFolder(cwd), await workTree(folder), folder])]
}

async function workTree(start: string): Promise<string> {
  for (let folder = start; ; folder = dirname(folder)) {
    if ((await stat(join(folder, '.git')).catch(() => null)) !== null) return folder
    if (dirname(folder) === folder) return start
  }
}

async function serversOf(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const text = await readRegular(join(folder, '.mcp.json')).catch(() => '')
      return Object.keys(parseJsonAs(text, mcpFileSchema)?.mcpServers ?? {})
    }),
  )
  return [...new Set(found.flat())]
}
