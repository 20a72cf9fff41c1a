/** The adapter for Claude Code. One file per concern; what they rest on is told in the comments of each. */
import type { AgentAdapter, AgentCommand } from '../agent.js'
import { AgentProgramError } from '../errors.js'
import { bringSubagents, isPlanOver, leftBehind } from './background.js'
import { carry } from './transcript/carry.js'
import { closePanelKeys, readDialog, showsPanel } from './screen/dialogs.js'
import {
  clearKeys,
  draftKeys,
  holdsStash,
  enterShellKeys,
  leaveShellKeys,
  lineMode,
  readDraft,
  stashKeys,
  takesInput,
} from './screen/draft.js'
import { bareEnv } from './launch/env.js'
import { readIdentity } from './setup/identity.js'
import { forkDigest, holds } from './transcript/forkDigest.js'
import { conversations, forget } from './transcript/forget.js'
import { plan } from './launch/launch.js'
import { pageGround, startPage } from './screen/startPages.js'
import { liveStates } from './liveness.js'
import { prepare } from './launch/prepare.js'
import { probe } from './limits/probe.js'
import { ask } from './program.js'
import { answerStep } from './screen/questions.js'
import { parseReport } from './reports.js'
import { fingerprint, isPartOf, pastedCommand, pastedWords, portableDraft } from './screen/text.js'
import { findTranscript, lastAnswer, readTail } from './transcript/transcript.js'
import { configDirOf, holdsEntry, readEnd } from './transcript/end.js'
import { usedTokens } from './transcript/usage.js'

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
  showsPanel,
  closePanelKeys,
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
  enterShellKeys,
  holdsStash,
  stashKeys,
  draftKeys,
  clearKeys,
  portableDraft,
}
