/** Sends notices to a person over the configured channels, without using any account of an agent. */
import { platform } from 'node:process'
import type { NoticeChannel } from '../config/config.js'
import { resolveEnv, resolveValue } from '../config/secrets/resolve.js'
import type { Notice, NoticeKind } from '../policy/notices/notice.js'
import type { NoticeOutcome, NoticeRequest } from './contracts.js'
import type { Host } from '../host/host.js'
import { runCommand } from '../host/process/runCommand.js'
import { log } from '../host/log.js'
import { messageOf } from '../policy/errorFacts.js'

/** Tries all channels once, in parallel. Never throws: failures are in the outcome, and the pool tries those channels again. */
export async function sendNotice(host: Host, request: NoticeRequest): Promise<NoticeOutcome> {
  const outcome = await tryChannels(host, request)
  for (const { channel, why } of outcome.failed)
    log.error(`notice "${request.notice.title}" could not be sent to ${channel}: ${why}`)
  return outcome
}

/** As `sendNotice`, and logs nothing. */
export async function tryChannels(host: Host, { notice, channels }: NoticeRequest): Promise<NoticeOutcome> {
  const selected = host.config.notices.to.filter(({ name }) => channels.includes(name))
  const failed = await Promise.all(
    selected.map(async (channel) => {
      const why = await send(host, channel, notice).catch((error: unknown) => messageOf(error))
      return why === null ? [] : [{ channel: channel.name, why }]
    }),
  )
  return { failed: failed.flat() }
}

/** Why the channel did not accept it, without its address; null if it did. */
function send(host: Host, channel: NoticeChannel, notice: Notice): Promise<string | null> {
  switch (channel.kind) {
    case 'command':
      return toCommand(host, channel, notice)
    case 'slack':
      return toSlack(channel, notice)
    case 'ntfy':
      return toNtfy(channel, notice)
    case 'desktop':
      return run(desktopCommand(notice), channel.timeout, { env: host.programEnvironment(), blockedBy: null })
  }
}

type Channel<Kind extends NoticeChannel['kind']> = NoticeChannel & { kind: Kind }

async function toCommand(host: Host, channel: Channel<'command'>, notice: Notice): Promise<string | null> {
  const { run: command, cwd, env, timeout } = channel
  return run(command, timeout, {
    cwd,
    blockedBy: host.programProblem(command, cwd),
    env: {
      ...host.programEnvironment(),
      ...(await resolveEnv(env)),
      OUTPOOL_NOTICE: notice.kind,
      OUTPOOL_TITLE: notice.title,
    },
    input: `${notice.title}\n\n${notice.text}\n`,
  })
}

/** By default a program runs in the root folder, which always exists. */
async function run(
  command: readonly string[],
  timeoutMs: number,
  more: { env: Record<string, string>; blockedBy: string | null; cwd?: string; input?: string },
): Promise<string | null> {
  const { why } = await runCommand({
    ...{ run: command, cwd: '/', timeoutMs, stopGraceMs: 1_000, maxOutputBytes: 0 },
    ...more,
  })
  return why
}

/** Title and text are separate arguments, so that nothing in them is read as an option or as script code. */
function desktopCommand({ title, text }: Notice): string[] {
  if (platform !== 'darwin') return ['notify-send', '--app-name=outpool', '--', `outpool: ${title}`, text]
  const script = [
    'on run argv',
    'display notification (item 2 of argv) with title (item 1 of argv)',
    'end run',
  ]
  return ['osascript', ...script.flatMap((line) => ['-e', line]), `outpool: ${title}`, text]
}

async function toSlack(channel: Channel<'slack'>, { title, text }: Notice): Promise<string | null> {
  const shown = `*outpool: ${escaped(title)}*\n${escaped(text)}`
  return post(await resolveValue('slack', channel.url), channel.timeout, {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: shown }),
  })
}

/** Slack requires this: these three characters begin links and entities. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const tags: Record<NoticeKind, string> = {
  'pool-dry': 'hourglass',
  'dry-ahead': 'hourglass_flowing_sand',
  parked: 'double_vertical_bar',
  'needs-person': 'raising_hand',
  'logged-out': 'key',
  'host-silent': 'ghost',
  'up-again': 'white_check_mark',
  drill: 'fire_engine',
  incident: 'rotating_light',
  'worker-died': 'ghost',
  rehearsal: 'warning',
  test: 'test_tube',
}

async function toNtfy(channel: Channel<'ntfy'>, { kind, title, text }: Notice): Promise<string | null> {
  const token = channel.token === null ? null : await resolveValue('token', channel.token)
  return post(await resolveValue('ntfy', channel.url), channel.timeout, {
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      title: `outpool: ${title}`,
      tags: tags[kind],
      priority: kind === 'up-again' || kind === 'test' ? 'default' : 'high',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: text,
  })
}

/** The address is a secret: no part of it, or of the server's answer, gets into the message. */
async function post(
  address: string,
  timeoutMs: number,
  request: { headers: Record<string, string>; body: string },
): Promise<string | null> {
  if (!URL.canParse(address)) return 'its address is not a valid URL'
  try {
    const signal = AbortSignal.timeout(timeoutMs)
    const response = await fetch(address, { ...request, method: 'POST', redirect: 'error', signal })
    await response.body?.cancel()
    return response.ok ? null : `it answered ${response.status}`
  } catch (error) {
    return unreachable(error, timeoutMs)
  }
}

function unreachable(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'it could not be reached'
  if (error.name === 'TimeoutError') return `it did not answer within ${timeoutMs / 1_000} s`
  const { cause } = error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : null
  return code === null ? 'it could not be reached' : `it could not be reached (${code})`
}
