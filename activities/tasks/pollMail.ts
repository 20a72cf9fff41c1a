/** One look at a mailbox: what is unread and wanted is delivered, noted, marked as read, in this order. */
import type { ImapConfig } from '../../config/config.js'
import { SecretError } from '../../config/errors.js'
import { cleanMail, isWantedSender } from '../../policy/tasks/mailText.js'
import { failed, type TaskOutcome } from '../../policy/tasks/tasks.js'
import type { Host } from '../../host/host.js'
import { deliveryFor, type Delivery, type SessionTalk } from './mailDelivery.js'
import { MailError } from './mailError.js'
import { type Envelope, envelopesAtOnce, Mailbox } from './mailbox.js'
import { mailId, MailLedger } from './mailLedger.js'
import { TaskFolder, taskOf } from '../../host/state/taskFolder.js'

export async function pollMail(
  host: Host,
  talk: SessionTalk,
  task: string,
  abort: AbortSignal,
): Promise<TaskOutcome> {
  const config = taskOf(host, task, 'imap')
  const { imap } = config
  const limit = AbortSignal.any([abort, AbortSignal.timeout(config.timeout)])
  try {
    const since = new Date(Date.now() - imap.since)
    const ledger = new MailLedger(new TaskFolder(host, task).path('mail.json'), since)
    const delivery = await deliveryFor(host, talk, config, limit)
    const look = new Look(imap, ledger, delivery)
    await Mailbox.using(imap, limit, (mailbox) => look.through(mailbox))
    return look.outcome()
  } catch (error) {
    if (error instanceof MailError || error instanceof SecretError) return failed(error.message)
    throw error
  }
}

class Look {
  readonly #imap: ImapConfig
  readonly #ledger: MailLedger
  readonly #delivery: Delivery
  #delivered = 0
  #tried = 0
  #waiting: string | null = null
  #fault: string | null = null

  constructor(imap: ImapConfig, ledger: MailLedger, delivery: Delivery) {
    this.#imap = imap
    this.#ledger = ledger
    this.#delivery = delivery
  }

  async through(mailbox: Mailbox): Promise<void> {
    const { host, user, mailbox: name, from } = this.#imap
    this.#ledger.lookAt(JSON.stringify([host, user, name, mailbox.uidValidity, from]))
    const unread = await mailbox.unreadAbove(this.#ledger.settledTo, this.#ledger.since)
    try {
      await this.#takeAll(mailbox, unread)
    } finally {
      this.#ledger.save()
    }
  }

  async #takeAll(mailbox: Mailbox, unread: readonly number[]): Promise<void> {
    for (let at = 0; at < unread.length; at += envelopesAtOnce) {
      for (const envelope of await mailbox.envelopes(unread.slice(at, at + envelopesAtOnce))) {
        if (!(await this.#take(mailbox, envelope))) return
        // A mail that could not be delivered is looked at again, and so is all after it.
        if (this.#fault === null) this.#ledger.settle(envelope.uid)
      }
    }
  }

  /** False where no more is to be delivered now. */
  async #take(mailbox: Mailbox, envelope: Envelope): Promise<boolean> {
    if (!isWantedSender(envelope.from, this.#imap.from)) return true
    const id = mailId(envelope, mailbox.uidValidity)
    if (!this.#ledger.has(id)) {
      if (this.#tried >= this.#imap.atMost) this.#waiting = 'more mail waits for the next run'
      else this.#waiting = await this.#delivery.whyNotNow()
      if (this.#waiting !== null) return false
      this.#tried += 1
      const mail = await mailbox.read(envelope, id, this.#imap.maxText)
      // Gone while we looked: somebody has deleted it.
      if (mail === null) return true
      const fault = await this.#delivery.deliver(cleanMail(mail, this.#imap.maxText))
      if (fault !== null) {
        this.#fault ??= fault
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
    if (this.#fault !== null) return failed(`${this.#fault} (${count})`)
    const summary = this.#waiting === null ? count : `${count}; ${this.#waiting}`
    return { ok: true, error: null, summary, file: null }
  }
}
