/** One poll of a mailbox: each unread, wanted mail is delivered, recorded and marked as read, in this order. */
import type { ImapConfig } from '../../config/config.js'
import { SecretError } from '../../config/errors.js'
import { cleanMail, isWantedSender, type Mail } from '../../policy/tasks/mail.js'
import { formatList } from '../../policy/formatList.js'
import { failedOutcome, type TaskOutcome } from '../../policy/tasks/tasks.js'
import type { Host } from '../../host/host.js'
import { createMailTarget, type MailTarget, type SessionClient } from './mailTarget.js'
import { MailError, UnreadableMailError } from './mailError.js'
import { type Envelope, envelopesAtOnce, Mailbox } from './mailbox.js'
import { mailId, MailLedger, unreadableId } from './mailLedger.js'
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
  /** UIDs of mails that were found unreadable for the first time. */
  readonly #unreadable: number[] = []

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
      const uids = unread.slice(at, at + envelopesAtOnce)
      const envelopes = new Map((await mailbox.envelopes(uids)).map((one) => [one.uid, one]))
      for (const uid of uids) {
        const envelope = envelopes.get(uid)
        if (envelope === undefined) await this.#noteMissing(mailbox, uid)
        else if (!(await this.#processMail(mailbox, envelope))) return
        // A mail that could not be delivered is examined again, and so are all mails after it.
        if (this.#failure === null) this.#ledger.settle(uid)
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
      const mail = await this.#read(mailbox, envelope, id)
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

  /** Null if it has been deleted meanwhile, or can't be read. */
  async #read(mailbox: Mailbox, envelope: Envelope, id: string): Promise<Mail | null> {
    try {
      return await mailbox.read(envelope, id, this.#imap.maxTextSize)
    } catch (error) {
      if (!(error instanceof UnreadableMailError)) throw error
      this.#noteUnreadable(mailbox, envelope.uid)
      return null
    }
  }

  /** The server has not sent what it was asked for: the mail has been deleted meanwhile, or was sent in a form that no one can read. */
  async #noteMissing(mailbox: Mailbox, uid: number): Promise<void> {
    if (await mailbox.has(uid)) this.#noteUnreadable(mailbox, uid)
  }

  /** It stays unread, and is reported once. */
  #noteUnreadable({ uidValidity }: Mailbox, uid: number): void {
    const id = unreadableId(uid, uidValidity)
    if (this.#ledger.has(id)) return
    this.#ledger.addDelivered(id)
    this.#unreadable.push(uid)
  }

  outcome(): TaskOutcome {
    const count = `${this.#delivered} ${this.#delivered === 1 ? 'mail' : 'mails'} delivered`
    const failure = this.#failure ?? this.#unreadableText()
    if (failure !== null) return failedOutcome(`${failure} (${count})`)
    const summary = this.#reasonToWait === null ? count : `${count}; ${this.#reasonToWait}`
    return { ok: true, error: null, summary, file: null }
  }

  #unreadableText(): string | null {
    const uids = this.#unreadable
    if (uids.length === 0) return null
    const what =
      uids.length === 1
        ? 'a mail that cannot be read and stays'
        : `${uids.length} mails that cannot be read and stay`
    return `${this.#imap.mailbox} has ${what} unread, so look there: UID ${formatList(uids.map(String))}`
  }
}
