/** Records on disk which mails a task has delivered before they are marked as read, so that a crash in between delivers none twice. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { z } from 'zod'
import { readOwnFile } from '../../config/state/ownFile.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import { MailError } from './mailError.js'
import type { Envelope } from './mailbox.js'

/** Ids kept. Older mails are not unread any more. */
const maxIds = 5_000

const ledgerSchema = z.object({
  /** Mail that arrived earlier was there before the task's first run, and is not delivered. */
  since: z.iso.datetime(),
  /** Mailbox, its UIDVALIDITY and the wanted senders: `settledTo` is valid only for these. */
  view: z.string(),
  /** Every mail up to this UID was delivered and marked, or is not wanted. */
  settledTo: z.int().nonnegative(),
  /** Ids of delivered mails, newest last. */
  delivered: z.array(z.string()),
})
type Ledger = z.output<typeof ledgerSchema>

export class MailLedger {
  readonly #file: string
  readonly #ledger: Ledger
  readonly #delivered: Set<string>

  /** `since`: for a new ledger. Throws MailError for a file that is not a ledger, because guessing could deliver mail twice. */
  constructor(file: string, since: Date) {
    this.#file = file
    this.#ledger = existsSync(file) ? read(file) : { since: since.toISOString(), ...emptyView, delivered: [] }
    this.#delivered = new Set(this.#ledger.delivered)
  }

  get since(): Date {
    return new Date(this.#ledger.since)
  }

  get settledTo(): number {
    return this.#ledger.settledTo
  }

  /** If the view has changed since the last run, every mail is examined again. */
  setView(view: string): void {
    if (this.#ledger.view === view) return
    Object.assign(this.#ledger, emptyView, { view })
  }

  has(id: string): boolean {
    return this.#delivered.has(id)
  }

  addDelivered(id: string): void {
    this.#delivered.add(id)
    this.#ledger.delivered = [...this.#ledger.delivered, id].slice(-maxIds)
    this.save()
  }

  /** Only saves work in the next run, so that it need not be on disk at once. */
  settle(uid: number): void {
    this.#ledger.settledTo = Math.max(this.#ledger.settledTo, uid)
  }

  save(): void {
    writeFileAtomic(this.#file, JSON.stringify(this.#ledger))
  }
}

const emptyView = { view: '', settledTo: 0 }

function read(file: string): Ledger {
  try {
    return ledgerSchema.parse(JSON.parse(readOwnFile(file)))
  } catch {
    throw new MailError(
      `${file} cannot be read: move it away, and unread mail is delivered as if for the first time`,
    )
  }
}

/** For a mail of which only its UID is known. */
export const unreadableId = (uid: number, uidValidity: string): string => `unreadable/${uidValidity}/${uid}`

/**
 * A mail with a Message-ID keeps its id even if the server rebuilds the mailbox. Sender, date and subject count too, so that no
 * one can suppress a mail by sending another one with its Message-ID first. A mail without one is identified by its UID.
 */
export function mailId(envelope: Envelope, uidValidity: string): string {
  const { messageId, from, date, subject, uid } = envelope
  const identity = messageId === null ? ['number', uidValidity, uid] : ['id', messageId, from, date, subject]
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32)
}
