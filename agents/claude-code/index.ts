/** The adapter for Claude Code. Each file explains in its comments which behaviour of the program it relies on. */
import type { AgentAdapter } from '../adapter/adapter.js'
import type { AgentCommand } from '../adapter/place.js'
import { AgentProgramError } from '../errors.js'
import { copySubagents, isPlanOver, readUnfinishedWork } from './background.js'
import { carry } from './transcript/carry.js'
import { closePanelKeys, readDialog, showsPanel } from './screen/dialogs.js'
import {
  clearDraftKeys,
  enterShellModeKeys,
  exportDraftKeys,
  hasStashedDraft,
  exitShellModeKeys,
  readInputMode,
  leaveHistoryKeys,
  readDraft,
  showsEarlierPrompt,
  showsWholeDraft,
  stashKeys,
  takesInput,
} from './screen/draft.js'
import { bareEnv } from './launch/env.js'
import { readIdentity } from './setup/identity.js'
import { readForkDigest, containsText } from './transcript/forkDigest.js'
import { listConversations, deleteConversation } from './transcript/conversations.js'
import { planLaunch } from './launch/launch.js'
import { startPageFingerprint, describeStartPage } from './screen/startPages.js'
import { readLiveStates } from './liveness.js'
import { prepare } from './launch/prepare.js'
import { probe } from './limits/probe.js'
import { runProgram } from './program.js'
import { nextAnswerStep } from './screen/questions.js'
import { parseReport } from './reports.js'
import {
  fingerprint,
  hasPlaceholder,
  isDraftOf,
  toCommandPaste,
  toPortableDraft,
  toWordsPaste,
} from './screen/text.js'
import { projectSettings } from './setup/projectSettings.js'
import { findTranscript, readLastAnswer, readTail } from './transcript/transcript.js'
import { configDirOf, containsEntry, readEnd } from './transcript/end.js'
import { readTokenUsage } from './transcript/usage.js'

async function version(command: AgentCommand): Promise<string> {
  const { stdout } = await runProgram(command, ['--version'], bareEnv(command), process.cwd())
  const [found] = /\d+\.\d+\.\d+\S*/.exec(stdout) ?? []
  if (found === undefined) throw new AgentProgramError(command.command, 'does not print its version')
  return found
}

export const claudeCode: AgentAdapter = {
  name: 'claude-code',
  canChooseSessionId: true,
  version,
  prepare,
  projectSettings,
  planLaunch,
  findTranscript,
  carry,
  listConversations,
  deleteConversation,
  readTail,
  readLastAnswer,
  readEnd,
  containsEntry,
  configDirOf,
  readForkDigest,
  containsText,
  readTokenUsage,
  parseReport,
  readLiveStates,
  readIdentity,
  probe,
  readDialog,
  showsPanel,
  closePanelKeys,
  describeStartPage,
  startPageFingerprint,
  nextAnswerStep,
  readUnfinishedWork,
  copySubagents,
  isPlanOver,
  readDraft,
  showsWholeDraft,
  hasPlaceholder,
  showsEarlierPrompt,
  leaveHistoryKeys,
  takesInput,
  toPaste: (text, as) => (as === 'command' ? toCommandPaste(text) : toWordsPaste(text)),
  fingerprint,
  isDraftOf,
  readInputMode,
  enterShellModeKeys,
  exitShellModeKeys,
  hasStashedDraft,
  stashKeys,
  exportDraftKeys,
  clearDraftKeys,
  toPortableDraft,
}
