/** The adapter for Claude Code. One file per concern; what they rest on is told in the comments of each. */
import type { AgentAdapter, AgentCommand } from '../agent.js'
import { AgentProgramError } from '../errors.js'
import { bringSubagents, isPlanOver, leftBehind } from './background.js'
import { carry } from './carry.js'
import { readDialog } from './dialogs.js'
import {
  clearKeys,
  draftKeys,
  holdsStash,
  leaveShellKeys,
  lineMode,
  readDraft,
  stashKeys,
  takesInput,
} from './draft.js'
import { bareEnv } from './env.js'
import { readIdentity } from './identity.js'
import { forkDigest, holds } from './forkDigest.js'
import { conversations, forget } from './forget.js'
import { plan } from './launch.js'
import { pageGround, startPage } from './pages.js'
import { liveStates } from './liveness.js'
import { prepare } from './prepare.js'
import { probe } from './probe.js'
import { ask } from './program.js'
import { answerStep } from './questions.js'
import { parseReport } from './reports.js'
import { fingerprint, isPartOf, pastedCommand, pastedWords, portableDraft } from './text.js'
import { findTranscript, lastAnswer, readTail } from './transcript.js'
import { configDirOf, holdsEntry, readEnd } from './transcriptEnd.js'
import { usedTokens } from './usage.js'

async function version(command: AgentCommand): Promise<string> {
  const { stdout } = await ask(command, ['--version'], bareEnv(process.env, command), process.cwd())
  const [found] = /\d+\.\d+\.\d+\S*/.exec(stdout) ?? []
  if (found === undefined) throw new AgentProgramError(command.command, 'does not say its version')
  return found
}

export const claudeCode: AgentAdapter = {
  name: 'claude-code',
  canChooseSessionId: true,
  version,
  prepare,
  plan,
  findTranscript,
  carry,
  conversations,
  forget,
  readTail,
  lastAnswer,
  readEnd,
  holdsEntry,
  configDirOf,
  forkDigest,
  holds,
  usedTokens,
  parseReport,
  liveStates,
  readIdentity,
  probe,
  readDialog,
  startPage,
  pageGround,
  answerStep,
  leftBehind,
  bringSubagents,
  isPlanOver,
  readDraft,
  takesInput,
  pasteOf: (text, as) => (as === 'command' ? pastedCommand(text) : pastedWords(text)),
  fingerprint,
  isPartOf,
  lineMode,
  leaveShellKeys,
  holdsStash,
  stashKeys,
  draftKeys,
  clearKeys,
  portableDraft,
}
