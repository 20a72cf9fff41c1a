/** `outpool adopt [WHAT...]`: lists agents that a person started, or takes them over. */
import { listSessions } from '../../config/engine/sessions.js'
import type { ListedSession } from '../../config/fleet/session.js'
import type { Config } from '../../config/config.js'
import { loadConfig } from '../../config/load/load.js'
import type { Found, FoundAgent } from '../../config/state/foundAgents.js'
import { openHome, type Home } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { adoptionLossText, adoptionRefusalText } from '../../policy/session/adoptionTexts.js'
import type { Adoption } from '../../policy/session/adoption.js'
import type { SessionStart } from '../../workflows/messages.js'
import { findAgents } from '../adoption/findAgents.js'
import { agentNamed, agentsUnder, sessionNameFor } from '../adoption/select.js'
import { agentList, offerLines } from '../adoption/table.js'
import { type CommandContext, print, printJson, printNotice } from '../commandContext.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { findSession } from '../engine/session.js'
import { isFresh } from '../sessions/sessionRows.js'
import { startSession } from '../engine/startSession.js'
import { FailedError, UsageError } from '../errors.js'
import { checkName } from '../names.js'
import { isConfirmed } from '../output/confirm.js'
import { oneLine } from '../output/terminal.js'

/** What becomes a session: an agent that runs, or a conversation that is stopped. */
interface Target {
  what: string
  agent: string
  sessionId: string
  cwd: string
  account: string | null
  model: string | null
  process: Adoption['process']
  configDir: string
  acceptsLoss: boolean
}

interface Adopted {
  session: string
  sessionId: string
  pid: number | null
  /** `known`: an earlier command has asked for it. */
  result: 'accepted' | 'known'
}

export async function adopt(context: CommandContext): Promise<void> {
  const config = loadConfig({ path: context.config })
  const wantsAll = context.flag('all') || context.option('under') !== null
  const name = context.option('name')
  if (name !== null) checkName(name)
  if (name !== null && (wantsAll || context.args.length > 1))
    throw new UsageError('--name names one session, and several agents are to be adopted', 'leave out --name')
  const found = await findAgents(context)
  if (found === null) return
  if (context.args.length === 0 && !wantsAll) {
    list(context, found)
    return
  }
  const targets = await agreedTargets(context, await targetsOf(context, found, wantsAll))
  const home = openHome()
  const adopted = await withEngine(home, async (engine) => {
    const sessions = await listSessions(engine, 'ever')
    const results: Adopted[] = []
    for (const target of targets)
      results.push(await adoptOne({ context, engine, config, home, sessions, results }, target, name))
    return results
  })
  report(context, home, adopted, found)
}

function list(context: CommandContext, found: Found): void {
  if (context.json) printJson({ agents: found.agents, offers: found.offers })
  else if (found.agents.length === 0) print('No agents run on this host that Outpool does not keep.')
  else print(agentList(found, context.width, context.colors, new Date()))
}

/** Throws FailedError for what can not be adopted; with --all and --under such agents are only named. */
async function targetsOf(context: CommandContext, found: Found, wantsAll: boolean): Promise<Target[]> {
  const under = context.option('under')
  const among = under === null ? found.agents : agentsUnder(under, found.agents)
  const targets: Target[] = []
  for (const agent of wantsAll ? among : []) {
    if (agent.refusal === null) targets.push(targetOf(agent))
    else printNotice(`process ${agent.pid} is left alone: ${adoptionRefusalText(agent.refusal)}`)
  }
  for (const what of context.args) {
    const agent = agentNamed(what, found.agents)
    if (agent === null) targets.push(await stoppedTarget(context, what))
    else if (agent.refusal === null) targets.push(targetOf(agent))
    else
      throw new FailedError(
        `process ${agent.pid} can not be adopted: ${adoptionRefusalText(agent.refusal)}`,
        'see all agents with `outpool adopt`',
      )
  }
  if (targets.length === 0)
    throw new FailedError('there is no agent to adopt', 'see all with `outpool adopt`')
  return [...new Map(targets.map((target) => [target.sessionId, target])).values()]
}

const targetOf = (agent: FoundAgent): Target & Pick<FoundAgent, 'losses'> => ({
  what: `process ${agent.pid}`,
  ...{ agent: agent.agent, sessionId: agent.sessionId ?? '', cwd: agent.cwd, account: agent.account },
  ...{ model: agent.sessionModel, process: { pid: agent.pid, start: agent.start } },
  ...{ configDir: agent.configDir, acceptsLoss: false, losses: agent.losses },
})

async function stoppedTarget(context: CommandContext, what: string): Promise<Target> {
  const conversation = (await findAgents(context, what))?.conversation ?? null
  if (conversation === null)
    throw new FailedError(
      `no agent and no conversation ${oneLine(what)} was found on this host`,
      'name a pane (%3), a process or the whole id of a conversation; see all agents with `outpool adopt`',
    )
  const { agent, sessionId, cwd, account, configDir } = conversation
  if (cwd === null)
    throw new FailedError(
      `conversation ${sessionId} does not say in which folder it works`,
      'resume it there by hand, then adopt the agent',
    )
  return {
    ...{ what: `conversation ${sessionId}`, agent, sessionId, cwd, account, model: null, process: null },
    ...{ configDir, acceptsLoss: false },
  }
}

/** The targets of which nothing would be lost, or whose loss the person accepts. */
async function agreedTargets(
  context: CommandContext,
  targets: readonly (Target & Partial<Pick<FoundAgent, 'losses'>>)[],
): Promise<Target[]> {
  const agreed: Target[] = []
  for (const target of targets) {
    const { losses = [], what } = target
    if (losses.length === 0) agreed.push({ ...target, acceptsLoss: context.flag('yes') })
    else if (
      context.flag('yes') ||
      (await isConfirmed(`${what} would lose ${adoptionLossText(losses)}. Adopt it all the same?`))
    )
      agreed.push({ ...target, acceptsLoss: true })
    else if (targets.length > 1) {
      printNotice(`${what} is left alone, because this would be lost: ${adoptionLossText(losses)}`)
      process.exitCode = 1
    } else
      throw new FailedError(
        `${what} is not adopted, because this would be lost: ${adoptionLossText(losses)}`,
        'add --yes to adopt it all the same',
      )
  }
  return agreed
}

async function adoptOne(
  {
    context,
    engine,
    config,
    home,
    sessions,
    results,
  }: {
    context: CommandContext
    engine: Engine
    config: Config
    home: Home
    sessions: readonly ListedSession[]
    results: readonly Adopted[]
  },
  target: Target,
  name: string | null,
): Promise<Adopted> {
  const { sessionId, process, cwd, agent, account, model, configDir, acceptsLoss } = target
  const pid = process?.pid ?? null
  const own = sessions.find(({ card }) => card.sessionId === sessionId && card.host === home.hostId)
  if (own?.running === true) return { session: own.card.name, sessionId, pid, result: 'known' }
  if (own !== undefined && process === null)
    throw new FailedError(
      `conversation ${sessionId} is that of session ${own.card.name}`,
      `bring it back with \`outpool resume ${own.card.name}\``,
    )
  const taken = [...sessions.map(({ card }) => card.name), ...results.map(({ session }) => session)]
  const session = name ?? own?.card.name ?? sessionNameFor(cwd, taken)
  const isOfPool = config.pool.accounts.some((one) => one.name === account)
  const start: SessionStart = {
    ...{ name: session, pool: config.pool.name, sessionId, host: home.hostId, agent, cwd, model },
    ...{ models: model === null ? [] : [model], fallback: null, priority: 0 },
    // A reserved account is the healer's: the session goes on under an account of the pool.
    ...{ account: isOfPool ? account : null, pinned: false },
    ...{ prompt: null, continues: true, timing: config.timing },
    adoption: { process, configDir, now: context.flag('now'), acceptsLoss },
  }
  try {
    await startSession(engine, start)
  } catch (error) {
    // Lists of sessions are seconds late: an earlier command may have started this one.
    const isSame = async (): Promise<boolean> =>
      error instanceof FailedError && (await findSession(engine, session)).card.sessionId === sessionId
    if (!(await isSame())) throw error
    return { session, sessionId, pid, result: 'known' }
  }
  return { session, sessionId, pid, result: 'accepted' }
}

function report(context: CommandContext, home: Home, adopted: readonly Adopted[], { offers }: Found): void {
  if (!isFresh(readLive(home), new Date()))
    printNotice('no worker is watching on this host yet; agents are adopted when you run `outpool up`')
  if (context.json) {
    printJson(adopted)
    return
  }
  for (const { session, pid, result } of adopted) {
    const what = pid === null ? 'the conversation' : `process ${pid}`
    const when =
      pid === null
        ? 'goes on'
        : context.flag('now')
          ? 'is taken over now'
          : 'is taken over at the end of its turn'
    print(
      result === 'known'
        ? `${what} is adopted, or being adopted, as ${session}; see: outpool show ${session}`
        : `${what} ${when}, as session ${session}; see: outpool show ${session}`,
    )
  }
  for (const line of offerLines(offers)) print(line)
}
