/** `outpool start NAME` */
import { randomUUID } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../../config/config.js'
import { type Home, openHome } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { loadConfig } from '../../config/load/load.js'
import { describeSettings } from '../../config/state/untrustedFolders.js'
import { nearest } from '../../config/validate/nearest.js'
import { type CommandContext, printNotice, print, printJson } from '../commandContext.js'
import { withEngine } from '../engine/engine.js'
import { FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'
import { isFresh, toSessionView } from '../sessions/sessionRows.js'
import { startSession } from '../engine/startSession.js'
import { readUntrustedFolder } from '../configuration/untrustedFolders.js'

const defaultAgent = 'claude-code'

export async function start(context: CommandContext): Promise<void> {
  const name = checkName(context.argument(0, 'NAME'))
  const config = loadConfig({ path: context.config })
  const account = context.option('account')
  if (account !== null) checkPoolAccount(account, config)
  const pinned = context.flag('pin')
  if (pinned && account === null) throw new UsageError('--pin needs an account', 'name it with --account')
  const agent = checkAgent(context.option('agent') ?? defaultAgent, config)
  const priority = parsePriority(context.option('priority') ?? '0')
  const models = parseModels(context)
  const fallback = checkFallback(context.option('fallback'), config)
  const cwd = resolveFolder(context.option('cwd') ?? '.')
  const home = openHome()
  await assertTrusted(context, home, cwd)
  const prompt = context.args.slice(1).join(' ')

  const card = await withEngine(home, (engine) =>
    startSession(engine, {
      ...{ name, pool: config.pool.name, sessionId: randomUUID(), host: home.hostId, agent, cwd },
      ...{
        model: models[0] ?? null,
        models,
        fallback,
        account,
        pinned,
        priority,
        continues: false,
        timing: config.timing,
      },
      prompt: prompt === '' ? null : prompt,
    }),
  )
  if (!isFresh(readLive(home), new Date()))
    printNotice('no worker is watching on this host yet; the session starts when you run `outpool up`')
  if (context.json) printJson(toSessionView(card))
  else print(`${name} is starting; see it with: outpool attach ${name}`)
}

/** Throws UsageError for an account on which sessions cannot be placed. */
export function checkPoolAccount(account: string, config: Config): void {
  const pool = config.pool.accounts.map(({ name }) => name)
  if (pool.includes(account)) return
  const known = `accounts of the pool: ${pool.join(', ')}`
  if (config.reserved.some(({ name }) => name === account))
    throw new UsageError(`${account} is reserved for the healer, so no session can run on it`, known)
  if (config.substrates.some(({ name }) => name === account))
    throw new UsageError(
      `${account} is a substrate for when the pool is dry, so no session can be started on it`,
      known,
    )
  throw new UsageError(`there is no account ${account}`, didYouMean(account, pool, known))
}

function parseModels(context: CommandContext): string[] {
  const [model, models] = [context.option('model'), context.option('models')]
  if (model !== null && models !== null)
    throw new UsageError('both --model and --models are given', 'name all models with --models')
  const named = model === null ? namesIn(models ?? '') : [model]
  if (models !== null && named.length === 0)
    throw new UsageError('--models names no model', 'write them like this: opus,sonnet')
  return named
}

/** Null for all that are configured. Throws UsageError for a name that is not a substrate. */
function checkFallback(written: string | null, config: Config): string[] | null {
  if (written === null) return null
  const known = config.substrates.map(({ name }) => name)
  const named = written === 'none' ? [] : namesIn(written)
  for (const name of named)
    if (!known.includes(name))
      throw new UsageError(
        `there is no substrate ${name}`,
        didYouMean(
          name,
          known,
          known.length === 0 ? 'none is configured' : `substrates: ${known.join(', ')}`,
        ),
      )
  return named
}

const namesIn = (list: string): string[] =>
  list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

function checkAgent(agent: string, config: Config): string {
  const known = Object.keys(config.agents)
  if (known.includes(agent)) return agent
  throw new UsageError(`there is no agent ${agent}`, didYouMean(agent, known, `agents: ${known.join(', ')}`))
}

function didYouMean(word: string, known: string[], all: string): string {
  const near = nearest(word, known)
  return near === null ? all : `did you mean ${near}? ${all}`
}

/** Throws FailedError. The host refuses them at each launch as well, but a person would have to notice it. */
async function assertTrusted(context: CommandContext, home: Home, cwd: string): Promise<void> {
  const [untrusted] = await readUntrustedFolder(context, { home, folder: cwd })
  if (untrusted === undefined) return
  throw new FailedError(
    `the project in ${cwd} brings settings that act by themselves: ${describeSettings(untrusted.found)}`,
    `look at them, then run: outpool trust ${cwd}`,
  )
}

function resolveFolder(written: string): string {
  try {
    const real = realpathSync.native(resolve(written))
    if (statSync(real).isDirectory()) return real
  } catch {
    throw new UsageError(`the folder ${resolve(written)} does not exist`, 'name one that does with --cwd')
  }
  throw new UsageError(`${resolve(written)} is not a folder`, 'name one with --cwd')
}

function parsePriority(written: string): number {
  if (/^-?\d{1,6}$/.test(written)) return Number(written)
  throw new UsageError(
    `the priority ${JSON.stringify(written)} is not a whole number`,
    'write a whole number; lower numbers go first, and 0 is the default',
  )
}
