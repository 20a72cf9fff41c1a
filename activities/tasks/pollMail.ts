/** One poll of a mailbox: each unread, wanted mail is delivered, recorded and marked as read, in this order. */
import type { ImapConfig } from '../../config/config.js'
import { SecretError } from '../../config/errors.js'
import { cleanMail, isWantedSender } from '../../policy/tasks/mail.js'
import { failedOutcome, type TaskOutcome } from '../../policy/tasks/tasks.js'
import type { Host } from '../../host/host.js'
import { createMailTarget, type MailTarget, type SessionClient } from './mailTarget.js'
import { MailError } from './mailError.js'
import { type Envelope, envelopesAtOnce, Mailbox } from './mailbox.js'
import { mailId, MailLedger } from './mailLedger.js'
import { TaskFolder, taskOf } from '../../host/state/taskFolder.js'

export async function pollMail(
  host: Host,
  sessions: SessionClient,
  task: string,
  abort: AbortSignal,
): Promise<TaskOutcome> {
  const config = taskOf(host, task, 'imap')
  const { imap } = config
  const limit = AbortSignal.any([abort, AbortSignal.timeout(config.timeout)])
  try {
    const since = new Date(Date.now() - imap.since)
    const ledger = new MailLedger(new TaskFolder(host, task).path('mail.json'), since)
    const delivery = await createMailTarget(host, sessions, config, limit)
    const poll = new MailPoll(imap, ledger, delivery)
    await Mailbox.using(imap, limit, (mailbox) => poll.run(mailbox))
    return poll.outcome()
  } catch (error) {
    if (error instanceof MailError || error instanceof SecretError) return failedOutcome(error.message)
    throw error
  }
}

class MailPoll {
  readonly #imap: ImapConfig
  readonly #ledger: MailLedger
  readonly #target: MailTarget
  #delivered = 0
  #attempted = 0
  #reasonToWait: string | null = null
  #failure: string | null = null

  constructor(imap: ImapConfig, ledger: MailLedger, target: MailTarget) {
    this.#imap = imap
    this.#ledger = ledger
    this.#target = target
  }

  async run(mailbox: Mailbox): Promise<void> {
    const { host, user, mailbox: name, from } = this.#imap
    this.#ledger.setView(JSON.stringify([host, user, name, mailbox.uidValidity, from]))
    const unread = await mailbox.unreadAbove(this.#ledger.settledTo, this.#ledger.since)
    try {
      await this.#processAll(mailbox, unread)
    } finally {
      this.#ledger.save()
    }
  }

  async #processAll(mailbox: Mailbox, unread: readonly number[]): Promise<void> {
    for (let at = 0; at < unread.length; at += envelopesAtOnce) {
      for (const envelope of await mailbox.envelopes(unread.slice(at, at + envelopesAtOnce))) {
        if (!(await this.#processMail(mailbox, envelope))) return
        // A mail that could not be delivered is examined again, and so are all mails after it.
        if (this.#failure === null) this.#ledger.settle(envelope.uid)
      }
    }
  }

  /** False if no more is to be delivered now. */
  async #processMail(mailbox: Mailbox, envelope: Envelope): Promise<boolean> {
    if (!isWantedSender(envelope.from, this.#imap.from)) return true
    const id = mailId(envelope, mailbox.uidValidity)
    if (!this.#ledger.has(id)) {
      if (this.#attempted >= this.#imap.maxMails) this.#reasonToWait = 'more mail waits for the next run'
      else this.#reasonToWait = await this.#target.reasonToWait()
      if (this.#reasonToWait !== null) return false
      this.#attempted += 1
      const mail = await mailbox.read(envelope, id, this.#imap.maxTextSize)
      // It has been deleted meanwhile.
      if (mail === null) return true
      const failure = await this.#target.deliver(cleanMail(mail, this.#imap.maxTextSize))
      if (failure !== null) {
        this.#failure ??= failure
        return true
      }
      this.#ledger.addDelivered(id)
      this.#delivered += 1
    }
    await mailbox.markSeen(envelope.uid)
    return true
  }

  outcome(): TaskOutcome {
    const count = `${this.#delivered} ${this.#delivered === 1 ? 'mail' : 'mails'} delivered`
    if (this.#failure !== null) return failedOutcome(`${this.#failure} (${count})`)
    const summary = this.#reasonToWait === null ? count : `${count}; ${this.#reasonToWait}`
    return { ok: true, error: null, summary, file: null }
  }
}
