/** Errors of mail servers, each as one sentence for a person. */
import type { ImapFlowError } from 'imapflow'
import type { ImapConfig } from '../../config/config.js'
import { SecretError } from '../../config/errors.js'

/** Thrown when a mailbox cannot be opened or read. Its message names the server, but never a mail's content or a password. */
export class MailError extends Error {
  override readonly name = 'MailError'
}

/** Thrown for a mail that is there and can't be read, while the mailbox itself can. */
export class UnreadableMailError extends Error {
  override readonly name = 'UnreadableMailError'
}

/** Turns errors of the IMAP library into MailError, and returns others unchanged. */
export function toMailError(error: unknown, { host, port, user, mailbox, tls }: ImapConfig): unknown {
  if (!(error instanceof Error) || error instanceof MailError || error instanceof SecretError) return error
  const { authenticationFailed, mailboxMissing, tlsFailed, code = '' }: ImapFlowError = error
  const server = `${host}:${port}`
  if (authenticationFailed === true) return new MailError(`${host} refuses the user ${user} or the password`)
  if (mailboxMissing === true) return new MailError(`${user} has no mailbox ${mailbox} at ${host}`)
  if (isCertificate(code))
    return new MailError(
      `the certificate of ${server} is not trusted (${code}): name its issuer with imap.ca`,
    )
  if (tlsFailed === true || code.startsWith('ERR_SSL') || code === 'EPROTO')
    return new MailError(`${server} does not support TLS as configured (imap.tls: ${tls})`)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return new MailError(`there is no address for ${host}`)
  if (code === 'ECONNREFUSED') return new MailError(`${server} refuses connections`)
  if (code !== '') return new MailError(`the connection to ${server} broke (${code})`)
  return new MailError(`${server} refuses the request`)
}

const isCertificate = (code: string): boolean =>
  /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS_CERT|HOSTNAME_MISMATCH)/.test(code)
