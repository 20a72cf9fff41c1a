/** `outpool accounts add|remove|drain|enable NAME`: edits outpool.yaml, and waits until the running worker uses it. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../../config/config.js'
import { addAccount, drainAccount, enableAccount, removeAccount } from '../../config/edit/accounts.js'
import { rewriteFile } from '../../config/edit/rewriteFile.js'
import { locateConfig } from '../../config/load/find.js'
import { parseConfig } from '../../config/load/load.js'
import { readConfigText } from '../../config/load/text.js'
import { homeFolder, openHome } from '../../config/state/home.js'
import { TrustStore } from '../../config/state/trustStore.js'
import { formatList } from '../../policy/formatList.js'
import { type CommandContext, print, printNotice } from '../commandContext.js'
import { awaitUse } from '../configuration/configInUse.js'
import { EngineError, FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'

const accountEdits = ['add', 'remove', 'drain', 'enable'] as const
type AccountEdit = (typeof accountEdits)[number]

/** Throws ConfigError if the file is wrong, before or after the edit; then it is left as it was. */
export async function editAccounts(context: CommandContext): Promise<void> {
  const edit = toEdit(context.argument(0, 'add, remove, drain or enable'))
  const name = checkName(context.argument(1, 'the name of the account'), 'account')
  const { file, byContent } = locateConfig({ path: context.config })
  const text = readConfigText(file)
  const before = parseConfig(text, file)
  if (edit === 'remove' && !context.flag('force')) await assertEmpty(before, name)
  const changed = changedText(context, edit, name, text)
  const config = parseConfig(changed, file)
  if (changed === text) print(`nothing to change: ${name} is as it should be in ${file}`)
  else {
    // First: the worker may see the new text at once.
    if (byContent) new TrustStore({ dir: homeFolder() }).trust([{ file, digest: config.digest }])
    rewriteFile(file, changed)
    print(`${done[edit]} ${name} in ${file}`)
  }
  await reportUse(config)
  if (edit === 'drain') await reportSessions(config, name)
}

const done: Readonly<Record<AccountEdit, string>> = {
  add: 'added',
  remove: 'removed',
  drain: 'drained',
  enable: 'enabled',
}

function toEdit(word: string): AccountEdit {
  const edit = accountEdits.find((one) => one === word)
  if (edit === undefined)
    throw new UsageError(`accounts has no ${word}`, `use one of ${accountEdits.join(', ')}`)
  return edit
}

function changedText(context: CommandContext, edit: AccountEdit, name: string, text: string): string {
  switch (edit) {
    case 'add':
      return addAccount(text, newAccount(context, name), context.flag('reserved') ? 'reserved' : 'pool')
    case 'remove':
      return removeAccount(text, name)
    case 'drain':
      return drainAccount(text, name)
    case 'enable':
      return enableAccount(text, name)
  }
}

function newAccount(context: CommandContext, name: string) {
  const maxSessions = context.option('maxSessions')
  if (maxSessions !== null && !/^\d{1,6}$/.test(maxSessions))
    throw new UsageError(`--max-sessions ${maxSessions} is not a whole number`, 'write a number of sessions')
  return {
    name,
    configDir: writtenPath(context.option('configDir') ?? `~/.claude-${name}`),
    ceiling: context.option('ceiling'),
    maxSessions: maxSessions === null ? null : Number(maxSessions),
  }
}

/** Paths in the file count from its folder, and those of a command from the current one. */
const writtenPath = (path: string): string => (path.startsWith('~') ? path : resolve(path))

async function reportUse(config: Config): Promise<void> {
  const use = await awaitUse(config)
  switch (use.kind) {
    case 'in-use':
      printNotice('the running worker uses it')
      return
    case 'no-worker':
      printNotice('no worker runs; it is used from the next `outpool up` on')
      return
    case 'other-file':
      printNotice(`the running worker uses another file: ${use.file}`)
      return
    case 'pending':
      throw new FailedError(
        'the running worker has not taken it over yet',
        'see its output, and outpool config check',
      )
    case 'kept':
      throw new FailedError(
        `the running worker keeps the old configuration: ${use.why}`,
        'the file is changed; the worker takes it over as soon as it can',
      )
  }
}

/** Throws FailedError if sessions are on the account, or if that is not known. */
async function assertEmpty({ pool }: Config, name: string): Promise<void> {
  if (pool.accounts.every((account) => account.name !== name)) return
  const sessions = await sessionsOn(pool.name, name)
  if (sessions === null)
    throw new FailedError(
      `it is not known which sessions are on ${name}, because no worker answers`,
      'start one with `outpool up`, or remove the account all the same with --force',
    )
  if (sessions.length > 0)
    throw new FailedError(
      `${name} is in use by ${formatList(sessions)}`,
      `run outpool accounts drain ${name}, and remove it when outpool accounts says that it is empty`,
    )
}

async function reportSessions({ pool }: Config, name: string): Promise<void> {
  const sessions = await sessionsOn(pool.name, name)
  if (sessions === null) return
  if (sessions.length === 0) print(`${name} is empty`)
  else print(`still on ${name}, each until its turn ends: ${formatList(sessions)}`)
}

/** Null if no worker answers. None if no engine was ever used from this home. */
async function sessionsOn(pool: string, account: string): Promise<readonly string[] | null> {
  const home = openHome()
  if (!existsSync(home.engineFile)) return []
  const { withEngine } = await import('../engine/engine.js')
  const { queryPool } = await import('../engine/pool.js')
  try {
    const known = await withEngine(home, (engine) => queryPool(engine, pool))
    return known?.accounts.find(({ name }) => name === account)?.leases ?? (known === null ? null : [])
  } catch (error) {
    if (error instanceof EngineError) return null
    throw error
  }
}
