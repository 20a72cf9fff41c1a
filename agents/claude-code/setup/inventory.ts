/**
 * What a session has at a place beside the login: servers, skills, plug-ins, hooks, rules. After a move it has those of the other
 * place. Names only, because values may be secret.
 */
import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Place } from '../../adapter/place.js'
import type { Inventory } from '../../adapter/examiner.js'
import { readGlobalConfig } from './globalFile.js'
import { readSettings } from './conflicts.js'

const named = z.record(z.string(), z.unknown()).optional().catch(undefined)
const rules = z.array(z.string()).optional().catch(undefined)
/** Keys as in the program's reference (code.claude.com/docs/en/settings, /mcp, /skills); checked with 2.1.330. */
const settingsSchema = z.looseObject({
  enabledPlugins: z.record(z.string(), z.unknown()).optional().catch(undefined),
  hooks: z
    .record(z.string(), z.array(z.looseObject({})))
    .optional()
    .catch(undefined),
  permissions: z
    .looseObject({
      allow: rules,
      ask: rules,
      deny: rules,
      defaultMode: z.string().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
})
const globalSchema = z.looseObject({ mcpServers: named })
const projectSchema = z.looseObject({ mcpServers: named })

/** Throws AgentFileError for a broken `.claude.json`. An unreadable settings file is reported elsewhere. */
export async function inventoryOf(place: Place): Promise<Inventory> {
  const config = await readGlobalConfig(place)
  const found = await readSettings(join(place.configDir, 'settings.json'))
  const settings = settingsSchema.parse('state' in found ? {} : found.settings)
  return {
    'MCP servers': {
      items: [...Object.keys(globalSchema.parse(config).mcpServers ?? {}), ...localServers(config.projects)],
      remedy: 'Add them there too (`claude mcp add`), or name them in an .mcp.json of the project.',
    },
    skills: {
      items: [
        ...(await foldersWith(join(place.configDir, 'skills'), 'SKILL.md')),
        ...(await markdownIn(join(place.configDir, 'commands'), 'command ')),
        ...(await markdownIn(join(place.configDir, 'agents'), 'agent ')),
      ],
      remedy: 'Copy them there too, or keep them in the .claude folder of the project.',
    },
    plugins: {
      items: Object.entries(settings.enabledPlugins ?? {}).flatMap(([name, value]) =>
        value === false ? [] : [name],
      ),
      remedy: 'Install and enable them there too (`claude plugin install`).',
    },
    hooks: {
      items: Object.entries(settings.hooks ?? {}).flatMap(([event, all]) =>
        all.map((hook) => hookName(event, hook)),
      ),
      remedy: 'Write them into its settings.json too, or into .claude/settings.json of the project.',
    },
    permissions: {
      items: permissionsIn(settings.permissions ?? {}),
      remedy: 'Write them into its settings.json too, or into .claude/settings.json of the project.',
    },
  }
}

function localServers(projects: Record<string, unknown> | undefined): string[] {
  return Object.entries(projects ?? {}).flatMap(([folder, project]) =>
    Object.keys(projectSchema.safeParse(project).data?.mcpServers ?? {}).map((name) => `${name} (${folder})`),
  )
}

/** Hooks with the same content have the same name; the content is not shown. */
function hookName(event: string, hook: Record<string, unknown>): string {
  const matcher = typeof hook['matcher'] === 'string' && hook['matcher'] !== '' ? `(${hook['matcher']})` : ''
  const mark = createHash('sha256').update(JSON.stringify(hook)).digest('hex').slice(0, 4)
  return `${event}${matcher} #${mark}`
}

function permissionsIn(permissions: NonNullable<z.output<typeof settingsSchema>['permissions']>): string[] {
  const { allow = [], ask = [], deny = [], defaultMode } = permissions
  return [
    ...allow.map((rule) => `allow ${rule}`),
    ...ask.map((rule) => `ask ${rule}`),
    ...deny.map((rule) => `deny ${rule}`),
    ...(defaultMode === undefined ? [] : [`defaultMode ${defaultMode}`]),
  ]
}

async function foldersWith(folder: string, file: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  const there = await Promise.all(names.map((name) => stat(join(folder, name, file)).catch(() => null)))
  return names.filter((_, index) => there[index]?.isFile() === true)
}

async function markdownIn(folder: string, prefix: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  return names.filter((name) => name.endsWith('.md')).map((name) => `${prefix}${name.slice(0, -3)}`)
}
