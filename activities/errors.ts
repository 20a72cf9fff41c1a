/** The errors that activities throw, beside those of the host (host/errors.ts). */
import type { ProjectSettings } from '../agents/adapter/launch.js'
import { describeSettings } from '../config/state/untrustedFolders.js'
import { StepError } from '../host/errors.js'
import type { AccountReading, OpenPage } from '../policy/account/account.js'
import { failureKinds } from '../policy/failureKinds.js'
import { pageText } from '../policy/session/startPages.js'

/** Thrown when the agent program did not start in time, or ended during its start. The message ends with its last output. */
export class LaunchFailedError extends StepError {
  readonly kind = failureKinds.launchFailed
}

/** Thrown when the agent program opens a page at its start that only a person can answer. `reading` passes it on to the pool. */
export class PageOpenError extends StepError {
  readonly kind = failureKinds.pageOpen
  override readonly details: readonly [AccountReading]

  constructor(page: OpenPage, reading: AccountReading) {
    super(`it ${pageText(page)}`)
    this.details = [reading]
  }
}

/** Thrown when the agent program cannot be run on this host, no matter on which account. */
export class ProgramFailedError extends StepError {
  readonly kind = failureKinds.programFailed

  constructor(agent: string, command: string, why: string) {
    super(
      `the agent program ${command} cannot be run on this host: ${why}; install it, or set its path in agents.${agent}.command in outpool.yaml`,
    )
  }
}

/** Thrown when a process survives KILL. It may still write, so no other may be started beside it. Retried until it is gone. */
export class StopFailedError extends StepError {
  readonly kind = failureKinds.stopFailed
  override readonly isRetryable = true

  constructor(pid: number) {
    super(`process ${pid} is still running after KILL`)
  }
}

/** Thrown when a process that Outpool did not start works on the conversation: a second one would corrupt it. */
export class ConversationHeldError extends StepError {
  readonly kind = failureKinds.conversationHeld

  constructor(sessionId: string, pid: number) {
    super(
      `process ${pid}, which outpool did not start, has conversation ${sessionId} open; end that process, then run: outpool resume`,
    )
  }
}

/** Thrown when a known conversation cannot be reached, or only an older copy of it. No other may be begun in its place. */
export class ConversationUnreachableError extends StepError {
  readonly kind = failureKinds.conversationUnreachable

  constructor(sessionId: string, why: string) {
    super(`conversation ${sessionId} cannot be continued: ${why}; nothing is started until then`)
  }
}

/** Thrown when a person switched to another conversation in the session's pane: a text goes to that one instead. */
export class ConversationChangedError extends StepError {
  readonly kind = failureKinds.conversationChanged

  constructor(session: string, now: string) {
    super(`session ${session} is in conversation ${now} now`)
  }
}

/** Thrown when a text was typed as often as allowed and nothing followed. Another try would only cost more. */
export class TextNotTakenError extends StepError {
  readonly kind = failureKinds.textNotTaken

  constructor(times: number) {
    super(`it was typed ${times === 1 ? 'once' : 'twice'}, and the agent did not respond`)
  }
}

/** Thrown when the input line holds something that can't be removed without losing it. */
export class LineOccupiedError extends StepError {
  readonly kind = failureKinds.lineOccupied
}

/**
 * Thrown when a command did not run: the agent program has none of that name (the message is then the program's own), it opens
 * a panel, or a hook refused it. The message is cut to 200 characters.
 */
export class CommandRefusedError extends StepError {
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
  readonly kind = failureKinds.textRefused

  constructor(reason: string) {
    super(hookRefusal(reason))
  }
}

/**
 * Thrown before the agent is ended: its draft holds a picture, or the program did not give it to its editor and the screen shows only a
 * part of it. With `unknown`, the input line of the installed program can't be read, and a person may have left a draft there.
 */
export class DraftUnreadableError extends StepError {
  readonly kind = failureKinds.draftUnreadable

  constructor(session: string, { unknown = false } = {}) {
    super(
      unknown
        ? `its input line may hold a draft that outpool cannot read with the installed agent program, and that would be lost: outpool pause ${session}, then outpool resume ${session}, goes on without it`
        : `its input line holds a draft that outpool cannot read whole, and that would be lost: send or clear it with outpool attach ${session}`,
    )
  }
}

/** Thrown when the conversation could not be carried completely. */
export class CarryFailedError extends StepError {
  readonly kind = failureKinds.carryFailed
}

/** Thrown when the working folder of a session, task or service does not exist. */
export class WorkFolderMissingError extends StepError {
  readonly kind = failureKinds.workFolderUnusable

  constructor(cwd: string) {
    super(`the folder ${cwd} does not exist`)
  }
}

/** Thrown when the working folder of a session exists, and its permissions keep the agent program out. */
export class WorkFolderClosedError extends StepError {
  readonly kind = failureKinds.workFolderUnusable

  constructor(cwd: string) {
    super(`the folder ${cwd} can't be entered`)
  }
}

/** Thrown when an activity's result is too large for a history even with every text in it cut. */
export class ResultTooLargeError extends Error {
  override readonly name = 'ResultTooLargeError'

  constructor(activity: string, size: number) {
    super(`the result of ${activity} has ${size} characters, too many for a history`)
  }
}

/** Thrown when a project's own settings would make the agent do something that no person has seen and trusted. */
export class ProjectUntrustedError extends StepError {
  readonly kind = failureKinds.projectUntrusted

  constructor(cwd: string, untrusted: readonly ProjectSettings[]) {
    super(
      `the project brings settings that act by themselves: ${describeSettings(untrusted)}; look at them, then run: outpool trust ${cwd}`,
    )
  }
}

/** Thrown when the agent program runs in another folder than its session's, where it would read and change the wrong files. */
export class WrongFolderError extends StepError {
  readonly kind = failureKinds.workFolderUnusable

  constructor(found: string, wanted: string) {
    super(`the agent runs in ${found} instead of ${wanted}`)
  }
}

/** Thrown when the file that holds a session's first prompt cannot be read. */
export class PromptMissingError extends StepError {
  readonly kind = failureKinds.promptMissing

  constructor(file: string) {
    super(`the prompt file ${file} cannot be read, or is empty`)
  }
}

/** Thrown when the configuration of this host does not name the service, so it is not guarded here. */
export class UnknownServiceError extends StepError {
  readonly kind = failureKinds.unknownService

  constructor(service: string) {
    super(`the configuration of this host does not name a service ${service}`)
  }
}

/** Thrown when the agent that is to be taken over works or waits for its person again: the adoption waits for its next turn end. */
export class AgentBusyError extends StepError {
  readonly kind = failureKinds.agentBusy

  constructor(pid: number) {
    super(`process ${pid} is not at the end of a turn any more`)
  }
}

/** Thrown when an agent or a conversation can not be adopted, however long one waits. */
export class AdoptionImpossibleError extends StepError {
  readonly kind = failureKinds.adoptionImpossible
}
