/** Where a task's mails go: to a session as texts, or to a command. */
import { randomBytes } from 'node:crypto'
import { resolveEnv } from '../../config/secrets/resolve.js'
import type { Mail } from '../../policy/tasks/mail.js'
import { frameMail } from './frameMail.js'
import type { Host } from '../../host/host.js'
import { runCommand } from '../../host/process/runCommand.js'
import { MailError } from './mailError.js'
import type { TaskOfKind } from '../../host/state/taskFolder.js'

/** What a session that is up or parked still has to take. */
export interface Backlog {
  texts: number
  characters: number
}

/** Speaking to sessions, by way of the engine. */
export interface SessionClient {
  /** False where no such session runs. The same id twice is one text. */
  send(session: string, text: { id: string; text: string }): Promise<boolean>
  /** Null where no such session runs. */
  backlog(session: string): Promise<Backlog | null>
}

export interface MailTarget {
  /** Why nothing more should be delivered now; null where it can. Throws MailError where nothing can be. */
  reasonToWait(): Promise<string | null>
  /** Why it could not be delivered; null once it was. */
  deliver(mail: Mail): Promise<string | null>
}

/** A session that takes nothing, such as a parked one, is not buried: its state has to stay small. The mail waits where it is. */
const backlogMax: Backlog = { texts: 20, characters: 200_000 }

/** Throws SecretError. */
export async function createMailTarget(
  host: Host,
  sessions: SessionClient,
  { name, deliverTo, timeout, maxOutput }: TaskOfKind<'imap'>,
  abort: AbortSignal,
): Promise<MailTarget> {
  if (typeof deliverTo === 'string') return toSession(sessions, name, deliverTo)
  const env = await resolveEnv(deliverTo.env)
  return {
    reasonToWait: () => Promise.resolve(null),
    deliver: async (mail) => {
      const { why } = await runCommand({
        ...{ run: deliverTo.run, cwd: deliverTo.cwd, timeoutMs: timeout, maxOutputBytes: maxOutput, abort },
        env: { ...env, OUTPOOL_TASK: name, OUTPOOL_MAIL_ID: mail.id },
        stopGraceMs: host.config.timing.stopGrace,
        input: `${JSON.stringify(mail)}\n`,
      })
      return why === null ? null : `the command that mail is delivered to: ${why}`
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
      return isFull ? `${session} has ${backlog.texts} texts to take first` : null
    },
    deliver: async (mail) => {
      const text = frameMail(mail, task, randomBytes(8).toString('hex'))
      return (await sessions.send(session, { id: `mail-${mail.id}`, text })) ? null : missing
    },
  }
}
