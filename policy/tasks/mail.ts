/** Mail from strangers: what is kept of it, cleaned so that no terminal, editor or agent takes it for anything but text. */

export interface Mail {
  /** The same for the same mail, also after a crash and in a mailbox that was rebuilt. */
  id: string
  messageId: string | null
  from: string[]
  to: string[]
  subject: string
  /** ISO 8601, as its sender claims; null if that is not a date. */
  date: string | null
  text: string
  /** Whether the text was longer than the part that is kept. */
  cut: boolean
  attachments: Attachment[]
}

export interface Attachment {
  name: string
  type: string
  /** The encoded size; null if the server does not say. */
  bytes: number | null
}

const headerMax = 300
const listMax = 20

/**
 * Control characters, escape sequences, marks that change the direction of writing, and invisible characters: fillers, and tags in
 * which a whole text can be hidden from a person that a model reads.
 */
const unseen =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]|\p{Cs}/gu

/** The text in one line of at most `max` characters. */
function cleanLine(text: string, max = headerMax): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll(unseen, '').trim()
  // Removes the half of a surrogate pair that the cut may leave.
  return line.length <= max ? line : `${line.slice(0, max - 1).replaceAll(unseen, '')}…`
}

const cleanText = (text: string): string => text.replaceAll(/\r\n?/g, '\n').replaceAll(unseen, '').trim()

/** The mail with every field cleaned and bounded; its text to `maxText` characters. */
export function cleanMail(mail: Mail, maxText: number): Mail {
  const text = cleanText(mail.text)
  const isLong = text.length > maxText
  return {
    ...mail,
    messageId: mail.messageId === null ? null : cleanLine(mail.messageId),
    from: mail.from.slice(0, listMax).map((address) => cleanLine(address)),
    to: mail.to.slice(0, listMax).map((address) => cleanLine(address)),
    subject: cleanLine(mail.subject),
    text: isLong ? cleanText(text.slice(0, maxText)) : text,
    cut: mail.cut || isLong,
    attachments: mail.attachments.slice(0, listMax).map(({ name, type, bytes }) => ({
      ...{ name: cleanLine(name, 120), type: cleanLine(type, 80), bytes },
    })),
  }
}

/**
 * Whether every sender that the mail names is wanted. `wanted` holds addresses, or `@example.org` for a whole domain; if it is
 * empty, every mail is wanted. A mail without a sender is wanted only then.
 */
export function isWantedSender(from: readonly string[], wanted: readonly string[]): boolean {
  if (wanted.length === 0) return true
  const isWanted = (address: string): boolean =>
    wanted.some((one) => (one.startsWith('@') ? address.endsWith(one) : address === one))
  return from.length > 0 && from.every((address) => isWanted(address.toLowerCase()))
}
