/** The text of an `outpool.yaml` with what was chosen: a new one, or an existing one with additions. */
import { fileURLToPath } from 'node:url'
import { unusedName } from '../../config/accountNames.js'
import { addAccount, addSubstrate } from '../../config/edit/accounts.js'
import { guideUrl } from '../../config/guide.js'
import type { FoundLogin } from './findLogins.js'
import { type Choices, fallbackModel, substrateNames } from './choices.js'

const schemaFile = fileURLToPath(new URL('../../config/schema/outpool.schema.json', import.meta.url))

/**
 * `home`: paths below it are written with `~`. Each comment stands where an edit of the file leaves it (config/edit/editYaml.ts).
 */
export function newFile({ pool, reserved, keys }: Choices, home: string): string {
  const names = substrateNames(keys, [])
  return `# yaml-language-server: $schema=${schemaFile}
# What Outpool runs your sessions on. Every key: ${guideUrl('configuration.md')}

pool:
  name: main
  moveAt: 95%                # leave an account at a turn end from here on
  accounts:
    # Optional: ceiling: 80% leaves a part to you, maxSessions: 4 limits the sessions at a time.
${pool.map(({ login, ceiling }) => entry(login, ceiling, home, '    ')).join('\n')}

# The healer's own account, never used by a session. Its login must differ from every login of the pool.
${reserved.length === 0 ? `# reserved:\n#   - { name: medic, configDir: ~/.claude-medic }` : `reserved:\n${reserved.map((login) => entry(login, null, home, '  ')).join('\n')}`}

# Where sessions go when every account of the pool is spent, in this order. Secrets only by reference.
${keys.length === 0 ? `# substrates:\n${substrate('haiku-key', 'OUTPOOL_HAIKU_KEY', '# ')}` : `substrates:\n${keys.map((key, index) => substrate(names[index] ?? key, key, '')).join('\n')}`}

# agents:
#   claude-code: { command: claude, args: [], env: {} }
`
}

const substrate = (name: string, key: string, before: string): string =>
  [
    `${before}  - name: ${name}`,
    `${before}    model: ${fallbackModel}`,
    `${before}    env: { ANTHROPIC_API_KEY: { fromEnv: ${key} } }`,
  ].join('\n')

function entry(
  { name, dir, isDefault }: FoundLogin,
  ceiling: string | null,
  home: string,
  indent: string,
): string {
  const limit = ceiling === null ? '' : `, ceiling: ${ceiling}`
  const line = `${indent}- { name: ${name}, configDir: ${JSON.stringify(shownPath(dir, home))}${limit} }`
  return isDefault ? `${line} # Claude's default folder, with your current login.` : line
}

/** The text with the additions, and the names of what was added. `taken`: names that the file uses already. */
export function addTo(
  text: string,
  { pool, reserved, keys }: Choices,
  taken: readonly string[],
  home: string,
): { text: string; added: string[] } {
  const added: string[] = []
  let changed = text
  const logins = [
    ...pool.map(({ login, ceiling }) => ({ login, ceiling, list: 'pool' as const })),
    ...reserved.map((login) => ({ login, ceiling: null, list: 'reserved' as const })),
  ]
  for (const { login, ceiling, list } of logins) {
    const name = unusedName(login.name, [...taken, ...added])
    added.push(name)
    const account = { name, configDir: shownPath(login.dir, home), ceiling, maxSessions: null }
    changed = addAccount(changed, account, list)
  }
  for (const [index, name] of substrateNames(keys, [...taken, ...added]).entries()) {
    const key = keys[index]
    if (key === undefined) continue
    added.push(name)
    changed = addSubstrate(changed, { name, model: fallbackModel, key })
  }
  return { text: changed, added }
}

export const shownPath = (dir: string, home: string): string =>
  dir.startsWith(`${home}/`) ? `~${dir.slice(home.length)}` : dir
