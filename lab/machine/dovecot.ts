/**
 * A real IMAP server for tests: Dovecot, unprivileged, on free ports of loopback, with a mailbox that tests
 * write as files.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { generate } from 'selfsigned'
import { until } from '../until.js'
import { hasDebianProgram } from './debianProgram.js'
import { freePort } from './freePort.js'

const program = '/usr/sbin/dovecot'
const isRoot = userInfo().uid === 0
/** Dovecot serves no mail to root; when run by root it uses this user. */
const nobody = { uid: 65_534, gid: 65_534, user: 'nobody', group: 'nogroup' }

export const hasDovecot = (): Promise<boolean> => hasDebianProgram(program, 'dovecot-imapd')

export interface MailboxMail {
  from?: string
  subject?: string
  messageId?: string | null
  /** Header lines, and the body as it is transmitted. */
  headers?: string[]
  body?: string
  arrivedAt?: Date
}

export class Dovecot {
  readonly dir: string
  /** The file of the self-signed certificate; not in `dir`, where another user may write, since a configuration names it. */
  readonly ca: string
  readonly ports: { plain: number; tls: number }
  /** The user whose mailbox is written and read. */
  user = ''
  #child: ChildProcess | null = null
  #mails = 0
  #users = 0
  #sentBefore = 0

  private constructor(dir: string, ports: { plain: number; tls: number }) {
    this.dir = dir
    this.ca = join(mkdtempSync(join(tmpdir(), 'outpool-ca-')), 'ca.pem')
    this.ports = ports
  }

  /** The password of its users is `a-secret`. */
  static async start(): Promise<Dovecot> {
    const dir = mkdtempSync(join(tmpdir(), 'outpool-dovecot-'))
    const server = new Dovecot(dir, { plain: await freePort(), tls: await freePort() })
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
      keyType: 'ec',
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
      ],
    })
    mkdirSync(join(dir, 'run'))
    writeFileSync(join(dir, 'key.pem'), key)
    for (const file of [server.ca, join(dir, 'cert.pem')]) writeFileSync(file, cert)
    writeFileSync(join(dir, 'dovecot.conf'), server.#config())
    server.newUser()
    chmodSync(dir, 0o755)
    chownToMailUser(dir)
    await server.up()
    return server
  }

  /** Replaces the previous user by one with an empty mailbox. */
  newUser(): void {
    this.user = `fleet-${++this.#users}`
    for (const folder of ['new', 'cur', 'tmp']) mkdirSync(join(this.#mailbox, folder), { recursive: true })
    chownToMailUser(this.#mailbox)
    this.#sentBefore = this.#sentInAll()
  }

  get #mailbox(): string {
    return join(this.dir, this.user)
  }

  async up(): Promise<void> {
    const ids = isRoot ? { uid: nobody.uid, gid: nobody.gid } : {}
    this.#child = spawn(program, ['-F', '-c', join(this.dir, 'dovecot.conf')], {
      ...ids,
      ...{ stdio: 'ignore', detached: true },
    })
    await until(
      'Dovecot',
      () => acceptsConnections(this.ports.plain),
      (there) => there,
    )
  }

  /** Ends it at once, with all connections. */
  async down(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    // Its children would serve connections to their end; a crashed machine does not.
    if (child.pid !== undefined) process.kill(-child.pid, signal)
    await ended
    this.#child = null
  }

  async close(): Promise<void> {
    await this.down()
    for (const folder of [this.dir, dirname(this.ca)])
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  /** Puts an unread mail into the mailbox, as a mail server would. */
  deliver(mail: MailboxMail = {}): void {
    const {
      from = 'boss@example.org',
      subject = 'a subject',
      headers = [],
      body = 'a body',
      arrivedAt,
    } = mail
    const n = ++this.#mails
    const messageId = mail.messageId === undefined ? `<${n}@example.org>` : mail.messageId
    const lines = [
      `From: ${from}`,
      'To: fleet@example.org',
      `Subject: ${subject}`,
      'Date: Tue, 03 Nov 2026 10:00:00 +0000',
      ...(messageId === null ? [] : [`Message-ID: ${messageId}`]),
      ...headers,
    ]
    const name = `${1_700_000_000 + n}.M${n}P1.test`
    const written = join(this.#mailbox, 'tmp', name)
    writeFileSync(written, `${lines.join('\n')}\n\n${body}\n`)
    if (arrivedAt) utimesSync(written, arrivedAt, arrivedAt)
    chownToMailUser(written)
    renameSync(written, join(this.#mailbox, 'new', name))
  }

  /** How many mails are not marked as read. */
  unread(): number {
    const folder = (name: string): string[] => readdirSync(join(this.#mailbox, name))
    return folder('new').length + folder('cur').filter((name) => !/:2,[A-Z]*S/.test(name)).length
  }

  /** As after a restore from a backup: all mails unread again, under new numbers. The server must be down. */
  rebuildMailbox(): void {
    const mail = this.#mailbox
    for (const name of readdirSync(mail)) if (name.startsWith('dovecot')) rmSync(join(mail, name))
    // By default it uses the clock's second, which may equal that of the previous mailbox.
    const numbers = join(mail, 'dovecot-uidlist')
    writeFileSync(numbers, '3 V2000000000 N1\n')
    chownToMailUser(numbers)
    for (const name of readdirSync(join(mail, 'cur')))
      renameSync(join(mail, 'cur', name), join(mail, 'new', name.split(':')[0]!))
  }

  /** Bytes that it has sent to the user in connections that have ended, by its own count. */
  sent(): number {
    return this.#sentInAll() - this.#sentBefore
  }

  #sentInAll(): number {
    const log = existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : ''
    return [...log.matchAll(/ out=(\d+)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0)
  }

  get #log(): string {
    return join(this.dir, 'dovecot.log')
  }

  #config(): string {
    const at = (name: string): string => join(this.dir, name)
    const user = isRoot ? nobody.user : userInfo().username
    const ids = isRoot ? nobody : { ...userInfo(), group: String(userInfo().gid) }
    return `
      base_dir = ${at('run')}
      state_dir = ${at('run')}
      log_path = ${this.#log}
      protocols = imap
      listen = 127.0.0.1
      default_internal_user = ${user}
      default_internal_group = ${ids.group}
      default_login_user = ${user}
      first_valid_uid = 1
      mail_location = maildir:${this.dir}/%u
      ssl = yes
      ssl_cert = <${at('cert.pem')}
      ssl_key = <${at('key.pem')}
      disable_plaintext_auth = no
      auth_failure_delay = 0
      passdb {
        driver = static
        args = password={PLAIN}a-secret
      }
      userdb {
        driver = static
        args = uid=${ids.uid} gid=${ids.gid} home=${this.dir}/%u
      }
      service imap-login {
        chroot =
        inet_listener imap {
          port = ${this.ports.plain}
        }
        inet_listener imaps {
          port = ${this.ports.tls}
        }
      }
      service anvil {
        chroot =
      }
    `
  }
}

/** Gives the folder and its contents to the user that Dovecot runs as. */
function chownToMailUser(path: string): void {
  if (!isRoot) return
  chownSync(path, nobody.uid, nobody.gid)
  if (!statSync(path).isDirectory()) return
  for (const name of readdirSync(path)) chownToMailUser(join(path, name))
}

function acceptsConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const say = (there: boolean) => () => {
      socket.destroy()
      resolve(there)
    }
    socket.once('data', say(true))
    socket.once('error', say(false))
    socket.once('close', say(false))
  })
}
