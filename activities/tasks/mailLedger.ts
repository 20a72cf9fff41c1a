/** Which mails a task has delivered, on disk before a mail is marked as read: a crash in between delivers nothing twice. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import { MailError } from './mailError.js'
import type { Envelope } from './mailbox.js'

/** Ids kept: of mails so far back that none of them is still unread by mistake. */
const maxIds = 5_000

const ledgerSchema = z.object({
  /** Mail that arrived before this was old when the task first looked. */
  since: z.iso.datetime(),
  /** Mailbox, its UIDVALIDITY and the wanted senders: `settledTo` holds for these alone. */
  view: z.string(),
  /** Every mail up to this number was delivered and marked, or is not wanted. */
  settledTo: z.int().nonnegative(),
  /** Ids of delivered mails, newest last. */
  delivered: z.array(z.string()),
})
type Ledger = z.output<typeof ledgerSchema>

export class MailLedger {
  readonly #file: string
  readonly #ledger: Ledger
  readonly #delivered: Set<string>

  /** `since`: for a ledger that begins now. Throws MailError for a file that is no ledger: to guess would deliver twice. */
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

  /** Says what is looked at; where that is not what was looked at before, every mail is looked at again. */
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

  /** Only saves work for the next look, so that it need not be on disk at once. */
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
    return ledgerSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    throw new MailError(
      `${file} cannot be read: move it away, and unread mail is delivered as if for the first time`,
    )
  }
}

/**
 * A mail with a Message-ID is known by it, also in a mailbox that was built anew. Sender, date and subject count too, so that
 * nobody can keep a mail away by sending another one with its Message-ID first. A mail without one is known by its number.
 */
export function mailId(envelope: Envelope, uidValidity: string): string {
  const { messageId, from, date, subject, uid } = envelope
  const identity = messageId === null ? ['number', uidValidity, uid] : ['id', messageId, from, date, subject]
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32)
}
