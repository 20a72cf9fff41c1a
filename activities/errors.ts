/** What can go wrong in an activity, beside the errors of the host (host/errors.ts). */
import { StepError } from '../host/errors.js'
import type { AccountReading, OpenPage } from '../policy/account/account.js'
import { failureKinds } from '../policy/failureKinds.js'
import { pageText } from '../policy/session/startPages.js'

/** Thrown when the agent program did not come up, or ended before it was up. The message ends with what it showed last. */
export class LaunchFailedError extends StepError {
  override readonly name = 'LaunchFailedError'
  readonly kind = failureKinds.launchFailed
}

/** Thrown when the agent program opens a page at its start that only a person can answer. `reading` tells the pool of it. */
export class PageOpenError extends StepError {
  override readonly name = 'PageOpenError'
  readonly kind = failureKinds.pageOpen
  override readonly details: readonly [AccountReading]

  constructor(page: OpenPage, reading: AccountReading) {
    super(`it ${pageText(page)}`)
    this.details = [reading]
  }
}

/** Thrown when the agent program cannot be run at all on this host: no account is to blame for it. */
export class ProgramFailedError extends StepError {
  override readonly name = 'ProgramFailedError'
  readonly kind = failureKinds.programFailed

  constructor(agent: string, command: string, why: string) {
    super(
      `the agent program ${command} can not be run on this host: ${why}; install it, or name its path under agents.${agent}.command in outpool.yaml`,
    )
  }
}

/** Thrown when a process outlives KILL: it may still write, so nothing may be started beside it. Retried until it is gone. */
export class StopFailedError extends StepError {
  override readonly name = 'StopFailedError'
  readonly kind = failureKinds.stopFailed
  override readonly isRetryable = true

  constructor(pid: number) {
    super(`process ${pid} is still there after KILL`)
  }
}

/** Thrown when a process that Outpool did not start works on the conversation: a second one would corrupt it. */
export class ConversationHeldError extends StepError {
  override readonly name = 'ConversationHeldError'
  readonly kind = failureKinds.conversationHeld

  constructor(sessionId: string, pid: number) {
    super(
      `process ${pid}, which outpool did not start, has conversation ${sessionId} open; end it there, then: outpool resume`,
    )
  }
}

/** Thrown when a conversation that was written before cannot be reached, or only an older copy of it: nothing may be begun in its place. */
export class ConversationUnreachableError extends StepError {
  override readonly name = 'ConversationUnreachableError'
  readonly kind = failureKinds.conversationUnreachable

  constructor(sessionId: string, why: string) {
    super(`conversation ${sessionId} cannot be continued: ${why}; nothing is started without it`)
  }
}

/** Thrown when a person switched to another conversation in the session's pane: a text goes to that one instead. */
export class ConversationChangedError extends StepError {
  override readonly name = 'ConversationChangedError'
  readonly kind = failureKinds.conversationChanged

  constructor(session: string, now: string) {
    super(`session ${session} is in conversation ${now} now`)
  }
}

/** Thrown when a text was typed as often as it may be and nothing followed: another try could only cost. */
export class TextNotTakenError extends StepError {
  override readonly name = 'TextNotTakenError'
  readonly kind = failureKinds.textNotTaken

  constructor(times: number) {
    super(`it was typed ${times === 1 ? 'once' : 'twice'}, and the agent took no notice`)
  }
}

/** Thrown when the input line is taken by something that can't be put aside without losing it. */
export class LineOccupiedError extends StepError {
  override readonly name = 'LineOccupiedError'
  readonly kind = failureKinds.lineOccupied
}

/**
 * Thrown when a command did not run: the agent program has none of that name (the message is then the program's own), it opens
 * a panel, or a hook refused it. The message is cut to 200 characters.
 */
export class CommandRefusedError extends StepError {
  override readonly name = 'CommandRefusedError'
  readonly kind = failureKinds.commandRefused

  constructor(said: string) {
    super(said.slice(0, 200))
  }
}

/** One line that says that a hook refused a prompt, with at most 200 characters of the reason that it gave. */
export const hookRefusal = (reason: string): string =>
  `a hook on UserPromptSubmit refused it${reason === '' ? '' : `: "${reason.slice(0, 200)}"`}`

/** Thrown when a hook of the user's refused the text: it would refuse the same text again. */
export class TextRefusedError extends StepError {
  override readonly name = 'TextRefusedError'
  readonly kind = failureKinds.textRefused

  constructor(reason: string) {
    super(hookRefusal(reason))
  }
}

/** Thrown when the conversation could not be carried over whole. */
export class CarryFailedError extends StepError {
  override readonly name = 'CarryFailedError'
  readonly kind = failureKinds.carryFailed
}

/** Thrown when the folder that a session, task or service works in is gone. */
export class WorkFolderMissingError extends StepError {
  override readonly name = 'WorkFolderMissingError'
  readonly kind = failureKinds.workFolderMissing

  constructor(cwd: string) {
    super(`the folder ${cwd} is gone`)
  }
}

/** Thrown when the file that holds a session's first prompt cannot be read. */
export class PromptMissingError extends StepError {
  override readonly name = 'PromptMissingError'
  readonly kind = failureKinds.promptMissing

  constructor(file: string) {
    super(`the prompt file ${file} cannot be read, or is empty`)
  }
}

/** Thrown when the configuration of this host does not name the service: it is no longer guarded here. */
export class UnknownServiceError extends StepError {
  override readonly name = 'UnknownServiceError'
  readonly kind = failureKinds.unknownService

  constructor(service: string) {
    super(`this host's configuration names no service ${service}`)
  }
}
