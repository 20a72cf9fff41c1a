/** Finds the agents of this host that Outpool does not keep, and stopped conversations. Reads only. */
import { statSync } from 'node:fs'
import { adopterOf, agentNamed } from '../../agents/index.js'
import { accountNameFor, unusedName } from '../../config/accountNames.js'
import type { Config } from '../../config/config.js'
import type { AccountOffer, Found, FoundAgent, FoundConversation } from '../../config/state/foundAgents.js'
import type { Home } from '../../config/state/home.js'
import { userProcesses } from '../process/userProcesses.js'
import { personPanes, personSockets } from '../tmux/personTmux.js'
import { Tmux } from '../tmux/tmux.js'
import { accountAt, identifyAgent, inspectAgent, placeAt } from './inspect.js'

/** `conversation`: the id of a conversation to look for among those that no process has open, or null. */
export async function findAgents(home: Home, config: Config, conversation: string | null): Promise<Found> {
  const processes = userProcesses()
  const identified = await Promise.all(processes.map((process) => identifyAgent(config, process)))
  const ours = await ownProcesses(home)
  const others = identified.filter((one) => one !== null).filter(({ process }) => !ours.has(process.pid))
  const shown = others.filter(({ program, process }) => program.live !== null || process.tty !== null)
  const panes = await personPanes(personSockets(shown.map(({ process }) => process.env)))
  const agents: FoundAgent[] = []
  for (const one of shown) agents.push((await inspectAgent({ home, config }, one, panes)).found)
  const used = shown.map(({ program }) => program.configDir)
  return {
    agents: agents.sort((a, b) => a.pid - b.pid),
    conversation: conversation === null ? null : await findConversation(config, conversation, used),
    offers: offersFor(config, agents),
  }
}

/** The processes in the panes of Outpool's own tmux server. A released pane has no mark, and so is not Outpool's any more. */
async function ownProcesses(home: Home): Promise<Set<number>> {
  const tmux = new Tmux(home.tmuxSocket, home.dir)
  const panes = await tmux.panes()
  tmux.close()
  return new Set(panes?.map(({ pid }) => pid))
}

/** Where the conversation was last written: in a configured config dir, one with a usual name, or one of `used`. */
async function findConversation(
  config: Config,
  sessionId: string,
  used: readonly string[],
): Promise<FoundConversation | null> {
  const { pool, reserved } = config
  const configured = [...pool.accounts, ...reserved].map(({ configDir }) => configDir)
  let newest: { agent: string; transcript: string; configDir: string; changedAt: number } | null = null
  for (const agent of Object.keys(config.agents))
    for (const configDir of unique([
      ...configured,
      ...used,
      ...(adopterOf(agent)?.usualConfigDirs() ?? []),
    ])) {
      const transcript = await agentNamed(agent).findTranscript(placeAt(configDir), sessionId)
      const changedAt = transcript === null ? 0 : statSync(transcript).mtimeMs
      if (transcript !== null && changedAt > (newest?.changedAt ?? 0))
        newest = { agent, transcript, configDir, changedAt }
    }
  if (newest === null) return null
  const facts = await adopterOf(newest.agent)?.readFacts(newest.transcript)
  return {
    ...{ agent: newest.agent, sessionId, cwd: facts?.cwd ?? null, configDir: newest.configDir },
    ...{ account: accountAt(config, newest.configDir), model: facts?.model ?? null },
    changedAt: new Date(newest.changedAt).toISOString(),
  }
}

/** Only for agents that can be adopted: others may be of accounts that are none of this person's fleet. */
function offersFor(config: Config, found: readonly FoundAgent[]): AccountOffer[] {
  const { pool, reserved } = config
  const taken = [...pool.accounts, ...reserved].map(({ name }) => name)
  const adoptable = found.filter(({ refusal, account }) => refusal === null && account === null)
  const missing = unique(adoptable.map(({ configDir }) => configDir))
  return missing.map((configDir) => {
    const name = unusedName(accountNameFor(configDir), taken)
    taken.push(name)
    return { name, configDir }
  })
}

const unique = (paths: readonly string[]): string[] => [...new Set(paths)]
