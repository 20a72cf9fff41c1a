/** What is known of one process that runs an agent program: its account, conversation and terminal, and whether it can be adopted. */
import { existsSync, realpathSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type {
  AgentAdopter,
  CarriedStart,
  ConversationFacts,
  ProgramProcess,
} from '../../agents/adapter/adopter.js'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Place } from '../../agents/adapter/place.js'
import { adopterOf, agentNamed } from '../../agents/index.js'
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import type { FoundAgent } from '../../config/state/foundAgents.js'
import {
  adoptionLosses,
  adoptionRefusal,
  type CarryFacts,
  type PersonTerminal,
} from '../../policy/session/adoption.js'
import type { UserProcess } from '../process/userProcesses.js'
import { paneOnTerminal, type PersonPane, PersonTmux } from '../tmux/personTmux.js'

/** A process of this user that runs an agent program. */
export interface AgentProcess {
  agent: string
  process: UserProcess
  program: ProgramProcess
}

/** Null if no agent program that can be taken over is run by the process. */
export async function identifyAgent(config: Config, process: UserProcess): Promise<AgentProcess | null> {
  for (const agent of Object.keys(config.agents)) {
    const program = await adopterOf(agent)?.identify(process)
    if (program) return { agent, process, program }
  }
  return null
}

export interface InspectedAgent {
  found: FoundAgent
  /** Null if it has no conversation yet. */
  transcript: string | null
  /** Where the entries of this process begin, in bytes. */
  transcriptFrom: number
  start: CarriedStart
  pane: PersonPane | null
  draft: { text: string; mode: 'words' | 'shell' } | null
}

/** `panes`: those of all the person's tmux servers. Reads the whole transcript. */
export async function inspectAgent(
  { home, config }: { home: Home; config: Config },
  { agent, process, program }: AgentProcess,
  panes: readonly PersonPane[],
): Promise<InspectedAgent> {
  const adapter = agentNamed(agent)
  const adopter = adopterOf(agent)
  if (adopter === null) throw new Error(`the processes of ${agent} can not be taken over`)
  const { configDir, live } = program
  const place = placeAt(configDir)
  const transcript = live === null ? null : await adapter.findTranscript(place, live.sessionId)
  const facts = transcript === null ? noFacts : await adopter.readFacts(transcript)
  const transcriptFrom =
    transcript === null ? 0 : await adopter.offsetSince(transcript, program.startedAt ?? '1970-01-01')
  const start = adopter.carryStart(process.argv, facts)
  const pane = paneOnTerminal(panes, process.tty)
  const terminal = terminalOf(process, pane)
  const account = accountAt(config, configDir)
  const shown = await readInputLine(adapter, adopter, pane)
  const work = transcript === null ? null : await adapter.readUnfinishedWork(transcript, transcriptFrom)
  const given = givenVariables(config, agent, account)
  const carry: CarryFacts = {
    draft: shown?.draft ?? null,
    hasStashedDraft: shown?.hasStashedDraft ?? false,
    tasks: tasksOf(
      live?.activity,
      (work?.tasks ?? []).map(({ what }) => what),
    ),
    variables: adopter.lostVariables(process.env, given),
    options: start.unknown,
  }
  const refusal = adoptionRefusal({
    startedBy: program.isStartedByAgent
      ? 'agent'
      : program.outpoolSession === null || pane?.socket === home.tmuxSocket
        ? 'person'
        : 'another-outpool',
    isInteractive: program.isInteractive,
    hasState: live !== null,
    hasTranscript: transcript !== null,
    hasFolder: existsSync(process.cwd),
  })
  const found: FoundAgent = {
    ...{ agent, pid: process.pid, start: process.start, sessionId: live?.sessionId ?? null },
    ...{ cwd: process.cwd, configDir, account, model: facts.model ?? start.model },
    ...{ activity: live?.activity ?? null, waitingFor: live?.waitingFor ?? null },
    ...{ since: live?.updatedAt ?? null, terminal, refusal },
    losses: refusal === null ? adoptionLosses(carry) : [],
    sessionModel: start.model,
  }
  return { found, transcript, transcriptFrom, start, pane, draft: shown?.text ?? null }
}

const noFacts: ConversationFacts = { cwd: null, model: null, permissionMode: null, hasChangedModel: false }

/** For reading the files of a config dir, whether an account is configured there or not. */
export const placeAt = (configDir: string): Place => ({
  ...{ kind: 'account', name: configDir, configDir, env: {} },
})

/** The name of the account with this config dir; null if none is configured. */
export const accountAt = ({ pool, reserved }: Config, configDir: string): string | null =>
  [...pool.accounts, ...reserved].find((account) => isSameFolder(account.configDir, configDir))?.name ?? null

function isSameFolder(a: string, b: string): boolean {
  try {
    return a === b || realpathSync(a) === realpathSync(b)
  } catch {
    return false
  }
}

function terminalOf({ tty }: UserProcess, pane: PersonPane | null): PersonTerminal | null {
  if (pane === null) return tty === null ? null : { kind: 'tty', path: tty }
  const { socket, id, session, window, index } = pane
  return { kind: 'tmux', socket, pane: id, session, window, index }
}

/** The program may report a background shell of which its transcript says nothing. */
const tasksOf = (activity: string | undefined, tasks: readonly string[]): readonly string[] =>
  activity === 'shell' && tasks.length === 0 ? ['a shell command'] : tasks

/** While the program draws its screen, the input line is missing for a moment. */
const drawTries = 5
const drawPollEvery = 150

/** Null if its screen can't be read. */
async function readInputLine(
  adapter: AgentAdapter,
  adopter: AgentAdopter,
  pane: PersonPane | null,
): Promise<{
  draft: 'none' | 'whole' | 'cut'
  text: InspectedAgent['draft']
  hasStashedDraft: boolean
} | null> {
  if (pane === null) return null
  const tmux = new PersonTmux(pane.socket)
  let screen = await tmux.colouredScreen(pane.id)
  const isHidden = (shown: string): boolean =>
    !adapter.takesInput(shown) && adapter.readDialog(shown) === null
  for (let tries = 1; screen !== null && isHidden(screen) && tries < drawTries; tries++) {
    await delay(drawPollEvery)
    screen = await tmux.colouredScreen(pane.id)
  }
  if (screen === null) return null
  // A draft that is longer than its box hides the box's upper edge, and a panel hides the whole box.
  if (isHidden(screen)) return { draft: 'cut', text: null, hasStashedDraft: false }
  const hasStashedDraft = adapter.hasStashedDraft(screen)
  const shown = adopter.readShownDraft(screen, pane.columns)
  if (shown === null) return { draft: 'none', text: null, hasStashedDraft }
  if (shown === 'cut') return { draft: 'cut', text: null, hasStashedDraft }
  return { draft: 'whole', text: shown, hasStashedDraft }
}

/** What a launch on this account sets; secrets by reference are not read. */
function givenVariables(
  { agents, pool }: Config,
  agent: string,
  account: string | null,
): Record<string, string | null> {
  const ofAccount = pool.accounts.find(({ name }) => name === account)?.env ?? {}
  return Object.fromEntries(
    Object.entries({ ...agents[agent]?.env, ...ofAccount }).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : null,
    ]),
  )
}
