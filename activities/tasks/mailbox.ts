/**
 * A mailbox over IMAP. Reading changes nothing until a mail is marked. Only this file uses the IMAP library, and that of HTML; they
 * are loaded when a mailbox is read, since they need as long as a fifth of the start of a worker, and most fleets have none.
 */
import { readRegular } from '../../agents/files.js'
import type { ImapFlow, MessageEnvelopeObject, MessageStructureObject } from 'imapflow'
import type { ImapConfig } from '../../config/config.js'
import { resolveValue } from '../../config/secrets/resolve.js'
import type { Attachment, Mail } from '../../policy/tasks/mail.js'
import { MailError, toMailError, UnreadableMailError } from './mailError.js'

/** A server that is silent for this long counts as gone. */
const silenceMs = 60_000
const connectMs = 30_000
/** HTML is several times longer than the text in it. */
const markupFactor = 8
/** Envelopes per request: a few dozen kilobytes. */
export const envelopesAtOnce = 100

export interface Envelope {
  uid: number
  messageId: string | null
  from: string[]
  to: string[]
  subject: string
  date: string | null
}

export class Mailbox {
  readonly #client: ImapFlow
  readonly #imap: ImapConfig
  readonly #abort: AbortSignal
  /** Changes when the server rebuilds the mailbox and its UIDs name other mails. */
  uidValidity = ''

  private constructor(client: ImapFlow, imap: ImapConfig, abort: AbortSignal) {
    this.#client = client
    this.#imap = imap
    this.#abort = abort
  }

  /** Opens, uses and closes a mailbox. Throws MailError, SecretError, and what `use` throws. `abort` closes the connection. */
  static async using<T>(
    imap: ImapConfig,
    abort: AbortSignal,
    use: (mailbox: Mailbox) => Promise<T>,
  ): Promise<T> {
    const client = await clientFor(imap)
    const mailbox = new Mailbox(client, imap, abort)
    const breakOff = (): void => client.close()
    abort.addEventListener('abort', breakOff, { once: true })
    try {
      const opened = await mailbox.#ask(async () => {
        await client.connect()
        return client.mailboxOpen(imap.mailbox)
      })
      mailbox.uidValidity = String(opened.uidValidity)
      const done = await use(mailbox)
      // All is done: it does not matter if the server closes the connection first.
      await client.logout().catch(() => undefined)
      return done
    } finally {
      abort.removeEventListener('abort', breakOff)
      client.close()
    }
  }

  /** UIDs of the unread mails above `uid` that arrived after `since` (to the day), ascending. */
  async unreadAbove(uid: number, since: Date): Promise<number[]> {
    const query = { seen: false, since, uid: `${uid + 1}:*` }
    const found = await this.#ask(() => this.#client.search(query, { uid: true }))
    // `n:*` always includes the newest mail, even if its UID is below n.
    return found ? found.filter((one) => one > uid).sort((a, b) => a - b) : []
  }

  /** Of those that the server sends in a form that can be read, ascending. */
  async envelopes(uids: readonly number[]): Promise<Envelope[]> {
    const query = { uid: true, envelope: true }
    const fetched = await this.#ask(() => this.#client.fetchAll([...uids], query, { uid: true }))
    return fetched.map(({ uid, envelope }) => envelopeOf(uid, envelope)).sort((a, b) => a.uid - b.uid)
  }

  /** Whether a mail with this UID is in the mailbox. */
  async has(uid: number): Promise<boolean> {
    const found = await this.#ask(() => this.#client.search({ uid: String(uid) }, { uid: true }))
    return found ? found.includes(uid) : false
  }

  /**
   * The mail with at most `maxText` bytes of its text; attachments by name. Null when it is gone. Throws UnreadableMailError, and
   * MailError if the mailbox can't be read any more.
   */
  async read(envelope: Envelope, id: string, maxText: number): Promise<Mail | null> {
    try {
      const mail = await this.#read(envelope, id, maxText)
      if (mail === null && (await this.has(envelope.uid))) throw new UnreadableMailError()
      return mail
    } catch (error) {
      const isOfMailbox = error instanceof MailError && (!this.#client.usable || this.#abort.aborted)
      throw isOfMailbox ? error : new UnreadableMailError('', { cause: error })
    }
  }

  async #read(envelope: Envelope, id: string, maxText: number): Promise<Mail | null> {
    const { uid, messageId, from, to, subject, date } = envelope
    const query = { uid: true, bodyStructure: true }
    const fetched = await this.#ask(() => this.#client.fetchOne(String(uid), query, { uid: true }))
    if (!fetched || fetched.bodyStructure === undefined) return null
    const parts = leavesOf(fetched.bodyStructure)
    const bodies = parts.filter((part) => !isAttachment(part))
    const plain = bodies.find(({ type }) => type === 'text/plain')
    const body = plain ?? bodies.find(({ type }) => type === 'text/html')
    const { text, cut } = body
      ? await this.#ask(() => this.#text(uid, body, maxText))
      : { text: '', cut: false }
    const attachments = parts.filter((part) => part !== body && isAttachment(part)).map(attachmentOf)
    return { id, messageId, from, to, subject, date, text, cut, attachments }
  }

  async markSeen(uid: number): Promise<void> {
    await this.#ask(() => this.#client.messageFlagsAdd(String(uid), ['\\Seen'], { uid: true }))
  }

  /** The library resolves some calls with an empty result when the connection is gone; that must not count as a result. */
  async #ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      this.#abort.throwIfAborted()
      const answer = await call()
      if (this.#client.usable) return answer
    } catch (error) {
      if (!this.#abort.aborted) throw toMailError(error, this.#imap)
    }
    if (this.#abort.aborted) throw new MailError('it did not end in time, or was cancelled')
    throw new MailError(`the connection to ${this.#imap.host}:${this.#imap.port} broke`)
  }

  async #text(
    uid: number,
    { part = '1', type, size = 0 }: MessageStructureObject,
    maxText: number,
  ): Promise<{ text: string; cut: boolean }> {
    const isMarkup = type === 'text/html'
    const maxBytes = isMarkup ? maxText * markupFactor : maxText
    const { content } = await this.#client.download(String(uid), part, { uid: true, maxBytes })
    const chunks: Buffer[] = []
    if (content) for await (const chunk of content) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    const text = bytes.toString('utf8').replace(/\ufffd$/, '')
    const cut = size > maxBytes && bytes.length >= maxBytes
    return { text: isMarkup ? await textOfMarkup(text, maxBytes) : text, cut }
  }
}

async function clientFor(imap: ImapConfig): Promise<ImapFlow> {
  const pass = await resolveValue('imap.password', imap.password)
  const ca = imap.ca === null ? null : await readRegular(imap.ca).catch(() => null)
  if (imap.ca !== null && ca === null) throw new MailError(`the certificate file ${imap.ca} cannot be read`)
  const { ImapFlow } = await import('imapflow')
  const client = new ImapFlow({
    ...{ host: imap.host, port: imap.port, secure: imap.tls === true, doSTARTTLS: imap.tls === 'starttls' },
    auth: { user: imap.user, pass },
    ...(ca === null ? {} : { tls: { ca } }),
    ...{ connectionTimeout: connectMs, greetingTimeout: connectMs, socketTimeout: silenceMs },
    // The library logs all traffic, including content.
    logger: false,
    disableAutoIdle: true,
  })
  // If the connection breaks, the pending call fails with the same error.
  client.on('error', () => undefined)
  return client
}

function envelopeOf(uid: number, envelope: MessageEnvelopeObject = {}): Envelope {
  const addresses = (list: MessageEnvelopeObject['from'] = []): string[] =>
    list.flatMap(({ address }) => (address === undefined || address === '' ? [] : [address]))
  const at = new Date(envelope.date ?? Number.NaN)
  return {
    uid,
    messageId: envelope.messageId ?? null,
    from: addresses(envelope.from),
    to: addresses(envelope.to),
    subject: envelope.subject ?? '',
    date: Number.isNaN(at.getTime()) ? null : at.toISOString(),
  }
}

/** A mail within a mail is one leaf, an attachment. */
function leavesOf(node: MessageStructureObject): MessageStructureObject[] {
  if (node.childNodes === undefined || node.type === 'message/rfc822') return [node]
  return node.childNodes.flatMap(leavesOf)
}

const isAttachment = ({ disposition, type }: MessageStructureObject): boolean =>
  disposition === 'attachment' || !['text/plain', 'text/html'].includes(type)

function attachmentOf(part: MessageStructureObject): Attachment {
  const { dispositionParameters, parameters, type, size } = part
  const name = dispositionParameters?.['filename'] ?? parameters?.['name'] ?? 'without a name'
  return { name, type, bytes: size ?? null }
}

async function textOfMarkup(markup: string, maxInputLength: number): Promise<string> {
  const { convert } = await import('html-to-text')
  return convert(markup, {
    wordwrap: false,
    limits: { maxInputLength, maxDepth: 50, maxChildNodes: 10_000 },
    selectors: [{ selector: 'img', format: 'skip' }],
  })
}
