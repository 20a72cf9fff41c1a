/** What a host-bound step can fail with. The names are part of the contract with the workflows' retry policies. */
import { ApplicationFailure } from '@temporalio/common'
import type { AccountReading, StandingPage } from '../policy/account/account.js'
import { pageText } from '../policy/session/startPages.js'

export const faults = {
  staleFence: 'StaleFence',
  launchFailed: 'LaunchFailed',
  pageOpen: 'PageOpen',
  programFailed: 'ProgramFailed',
  stopFailed: 'StopFailed',
  conversationHeld: 'ConversationHeld',
  conversationUnreachable: 'ConversationUnreachable',
  conversationChanged: 'ConversationChanged',
  textNotTaken: 'TextNotTaken',
  lineOccupied: 'LineOccupied',
  commandRefused: 'CommandRefused',
  textRefused: 'TextRefused',
  carryFailed: 'CarryFailed',
  unknownPlace: 'UnknownPlace',
  secretMissing: 'SecretMissing',
  workFolderMissing: 'WorkFolderMissing',
  promptMissing: 'PromptMissing',
  unknownTask: 'UnknownTask',
  tmuxFailed: 'TmuxFailed',
  sharedDomain: 'SharedDomain',
  unknownService: 'UnknownService',
} as const
export type Fault = (typeof faults)[keyof typeof faults]

/** A fault that the same step would meet again: the workflow decides what to do instead. */
function final(type: Fault, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true })
}

/** Thrown when a newer launch of the session is known on this host: an old request must start and stop nothing. */
export const staleFence = (session: string, asked: number, known: number) =>
  final(
    faults.staleFence,
    `fence ${asked} of session ${session} is older than ${known}, which was launched since`,
  )

/** Thrown when the agent program did not come up, or ended before it was up. `screen` is the last line it showed. */
export const launchFailed = (why: string) => final(faults.launchFailed, why)

/** Thrown when the agent program opens a page at its start that only a person can answer. `reading` says so to the pool. */
export const pageOpen = (page: StandingPage, reading: AccountReading): ApplicationFailure =>
  ApplicationFailure.create({
    type: faults.pageOpen,
    message: `it ${pageText(page)}`,
    nonRetryable: true,
    details: [reading],
  })

/** Thrown when the agent program can't be run at all on this host: no account is to blame for it. */
export const programFailed = (agent: string, command: string, why: string) =>
  final(
    faults.programFailed,
    `the agent program ${command} can not be run on this host: ${why}; install it, or name its path under agents.${agent}.command in outpool.yaml`,
  )

/** Thrown when a process outlives KILL: it may still write, so nothing may be started beside it. Retried until it is gone. */
export const stopFailed = (pid: number): ApplicationFailure =>
  ApplicationFailure.create({ type: faults.stopFailed, message: `process ${pid} is still there after KILL` })

/** Thrown when a process that Outpool did not start works on the conversation: a second one would tear it. */
export const conversationHeld = (sessionId: string, pid: number) =>
  final(
    faults.conversationHeld,
    `process ${pid}, which outpool did not start, has conversation ${sessionId} open; end it there, then: outpool resume`,
  )

/** Thrown when a conversation that was written before cannot be had, or only an older copy of it: nothing may be begun in its place. */
export const conversationUnreachable = (sessionId: string, why: string) =>
  final(
    faults.conversationUnreachable,
    `conversation ${sessionId} cannot be continued: ${why}; nothing is started without it`,
  )

/** Thrown when a person went over to another conversation in the session's pane: a text goes to that one instead. */
export const conversationChanged = (session: string, now: string) =>
  final(faults.conversationChanged, `session ${session} is in conversation ${now} now`)

/** Thrown when a text was typed as often as it may be and nothing followed: another try could only cost. */
export const textNotTaken = (times: number) =>
  final(faults.textNotTaken, `it was typed ${times === 1 ? 'once' : 'twice'}, and the agent took no notice`)

/** Thrown when something stands in or before the input line that can't be put aside without losing it. */
export const lineOccupied = (why: string) => final(faults.lineOccupied, why)

/** Thrown when a command did not run: the agent program has none of that name (`said` is its own word), or it opens a panel. */
export const commandRefused = (said: string) => final(faults.commandRefused, said.slice(0, 200))

/** What a hook said when it refused a prompt, in one line. */
export const hookRefusal = (reason: string): string =>
  `a hook on UserPromptSubmit refused it${reason === '' ? '' : `: "${reason.slice(0, 200)}"`}`

/** Thrown when a hook of the user's own refused the text: it would refuse the same text again. */
export const textRefused = (reason: string) => final(faults.textRefused, hookRefusal(reason))

/** Thrown when the conversation could not be brought over whole. */
export const carryFailed = (why: string) => final(faults.carryFailed, why)

/** Thrown when the configuration of this host does not name the account or substrate. */
export const unknownPlace = (name: string) =>
  final(
    faults.unknownPlace,
    `this host's configuration names no account or substrate ${name}: name it again, and start outpool up anew`,
  )

/** Thrown when a secret that a place needs cannot be had; names the reference, never a value. */
export const secretMissing = (why: string) => final(faults.secretMissing, why)

/** Thrown when the session's folder is gone. */
export const workFolderMissing = (cwd: string) => final(faults.workFolderMissing, `the folder ${cwd} is gone`)

/** Thrown when the configuration of this host names no such task, or one of another kind. */
export const unknownTask = (name: string) =>
  final(faults.unknownTask, `this host's configuration no longer names the task ${name} as it was set up`)

/** Thrown when the file that holds a session's first prompt cannot be read. */
export const promptMissing = (file: string) =>
  final(faults.promptMissing, `the prompt file ${file} cannot be read, or is empty`)

/** Thrown when tmux refuses what was asked, or has lost a pane; retried, since a tmux server can be on its way down or up. */
export const tmuxFailed = (what: string, why: string) =>
  ApplicationFailure.create({ type: faults.tmuxFailed, message: `tmux ${what}: ${why}` })

/** Thrown when the healer's side and the pool share a login, a folder or a secret (law 1): nothing of the healer's may be started. */
export const sharedDomain = (overlaps: string) => final(faults.sharedDomain, overlaps)

/** Thrown when the configuration of this host does not name the service: nobody guards it any more. */
export const unknownService = (name: string) =>
  final(faults.unknownService, `this host's configuration names no service ${name}`)
