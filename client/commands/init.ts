/** `outpool init`: writes the user's first outpool.yaml, or adds to an existing one the logins that it lacks. Never overwrites one. */
import { existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { unusedName } from '../../config/accountNames.js'
import { addAccount } from '../../config/edit/accounts.js'
import { rewriteFile } from '../../config/edit/rewriteFile.js'
import { guideUrl } from '../../config/guide.js'
import { userConfigFile } from '../../config/load/find.js'
import { parseConfig } from '../../config/load/load.js'
import { readConfigText } from '../../config/load/text.js'
import { type CommandContext, print } from '../commandContext.js'
import { FailedError } from '../errors.js'
import { type FoundLogin, findLogins } from '../findLogins.js'

const schemaFile = fileURLToPath(new URL('../../config/schema/outpool.schema.json', import.meta.url))

export function init(context: CommandContext): Promise<void> {
  const home = process.env['HOME'] ?? homedir()
  const named = context.option('config') ?? process.env['OUTPOOL_CONFIG']
  const file = named === undefined || named === '' ? userConfigFile() : resolve(named)
  const logins = findLogins(home, process.env)
  if (logins.every(({ forHealer }) => forHealer))
    throw new FailedError(
      'no Claude config dir with a login was found (looked at CLAUDE_CONFIG_DIR, ~/.claude and ~/.claude-*)',
      'log in once per account: CLAUDE_CONFIG_DIR=~/.claude-max-1 claude; then run `outpool init` again',
    )
  if (existsSync(file)) {
    addMissing(file, logins, home)
    return Promise.resolve()
  }
  const text = fileText(logins, home)
  parseConfig(text, file)
  writeNew(file, text)
  print(`wrote ${file} with ${logins.map(({ name }) => name).join(', ')}; review it, then run: outpool up`)
  return Promise.resolve()
}

/** Leaves out the login of Claude's default folder: a person who wants to share their own adds it themselves. */
function addMissing(file: string, logins: readonly FoundLogin[], home: string): void {
  const text = readConfigText(file)
  const { pool, reserved } = parseConfig(text, file)
  const known = [...pool.accounts, ...reserved]
  const missing = logins.filter(
    ({ dir, isDefault }) =>
      !isDefault && known.every(({ configDir }) => configDir !== realpathSync.native(dir)),
  )
  const taken = known.map(({ name }) => name)
  let changed = text
  for (const { name: wanted, dir, forHealer } of missing) {
    const name = unusedName(wanted, taken)
    taken.push(name)
    const added = { name, configDir: shownPath(dir, home), ceiling: null, maxSessions: null }
    changed = addAccount(changed, added, forHealer ? 'reserved' : 'pool')
  }
  if (missing.length === 0) {
    print(`${file} already has every login that was found; nothing was changed`)
    return
  }
  parseConfig(changed, file)
  rewriteFile(file, changed)
  print(`added ${taken.slice(known.length).join(', ')} to ${file}; everything else in it is as it was`)
}

function writeNew(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  try {
    writeFileSync(file, text, { flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new FailedError(
      `${file} already exists and was not changed`,
      'edit it, or name another file with --config',
    )
  }
}

function fileText(logins: readonly FoundLogin[], home: string): string {
  const pool = logins.filter(({ forHealer }) => !forHealer)
  const reserved = logins.filter(({ forHealer }) => forHealer)
  return `# yaml-language-server: $schema=${schemaFile}
# What Outpool runs your sessions on. Every key: ${guideUrl('configuration.md')}

pool:
  name: main
  moveAt: 95%                # leave an account at a turn end from here on
  accounts:
${pool.map((login) => entry(login, home, '    ')).join('\n')}
    # Optional: ceiling: 80% leaves a part to you, maxSessions: 4 limits the sessions at a time.

# The healer's own account, never used by a session. Its login must differ from every login of the pool.
${reserved.length === 0 ? `# reserved:\n#   - { name: medic, configDir: ~/.claude-medic }` : `reserved:\n${reserved.map((login) => entry(login, home, '  ')).join('\n')}`}

# Where sessions go when every account of the pool is spent, in this order. Secrets only by reference.
# substrates:
#   - name: haiku-key
#     model: claude-haiku-4-5
#     env: { ANTHROPIC_API_KEY: { fromEnv: OUTPOOL_HAIKU_KEY } }

# agents:
#   claude-code: { command: claude, args: [], env: {} }
`
}

function entry({ name, dir, isDefault }: FoundLogin, home: string, indent: string): string {
  const line = `${indent}- { name: ${name}, configDir: ${JSON.stringify(shownPath(dir, home))} }`
  return isDefault ? `${line}\n${indent}  # Claude's default folder, with your current login.` : line
}

const shownPath = (dir: string, home: string): string =>
  dir.startsWith(`${home}/`) ? `~${dir.slice(home.length)}` : dir
