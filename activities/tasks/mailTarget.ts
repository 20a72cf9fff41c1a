/** Delivers a task's mail to a session as texts, or to a command. */
import { randomBytes } from 'node:crypto'
import { resolveEnv } from '../../config/secrets/resolve.js'
import type { Mail } from '../../policy/tasks/mail.js'
import { frameMail } from './frameMail.js'
import type { Host } from '../../host/host.js'
import { runCommand } from '../../host/process/runCommand.js'
import { MailError } from './mailError.js'
import type { TaskOfKind } from '../../host/state/taskFolder.js'

/** Texts that a session has not taken yet. */
export interface Backlog {
  texts: number
  characters: number
}

/** Reaches sessions through the engine. */
export interface SessionClient {
  /** False if no such session runs. A text with a known id is not delivered again. */
  send(session: string, text: { id: string; text: string }): Promise<boolean>
  /** Null if no such session runs. */
  backlog(session: string): Promise<Backlog | null>
}

export interface MailTarget {
  /** Why no more mail should be delivered now; null if it can. Throws MailError if the target does not exist. */
  reasonToWait(): Promise<string | null>
  /** Why it could not be delivered; null if it was. */
  deliver(mail: Mail): Promise<string | null>
}

/** Limits of what waits in a session's workflow, whose state has to stay small. Further mail stays unread in the mailbox. */
const backlogMax: Backlog = { texts: 20, characters: 200_000 }

/** Throws SecretError. */
export async function createMailTarget(
  host: Host,
  sessions: SessionClient,
  { name, deliverTo, timeout, maxOutputSize }: TaskOfKind<'imap'>,
  abort: AbortSignal,
): Promise<MailTarget> {
  if (typeof deliverTo === 'string') return toSession(sessions, name, deliverTo)
  const env = { ...host.programEnvironment(), ...(await resolveEnv(deliverTo.env)) }
  return {
    reasonToWait: () => Promise.resolve(null),
    deliver: async (mail) => {
      const { why } = await runCommand({
        ...{
          run: deliverTo.run,
          cwd: deliverTo.cwd,
          timeoutMs: timeout,
          maxOutputBytes: maxOutputSize,
          abort,
        },
        env: { ...env, OUTPOOL_TASK: name, OUTPOOL_MAIL_ID: mail.id },
        stopGraceMs: host.config.timing.stopGrace,
        input: `${JSON.stringify(mail)}\n`,
        blockedBy: host.programProblem(deliverTo.run, deliverTo.cwd),
      })
      return why === null ? null : `the command that takes the mail: ${why}`
    },
  }
}

function toSession(sessions: SessionClient, task: string, session: string): MailTarget {
  const missing = `the session ${session} is not running`
  return {
    reasonToWait: async () => {
      const backlog = await sessions.backlog(session)
      if (backlog === null) throw new MailError(missing)
      const isFull = backlog.texts >= backlogMax.texts || backlog.characters >= backlogMax.characters
      return isFull ? `session ${session} has ${backlog.texts} texts to take first` : null
    },
    deliver: async (mail) => {
      const text = frameMail(mail, task, randomBytes(8).toString('hex'))
      return (await sessions.send(session, { id: `mail-${mail.id}`, text })) ? null : missing
    },
  }
}
