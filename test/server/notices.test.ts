/** Notices on real channels: programs that really run, and an HTTP server that really answers. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { stringify } from 'yaml'
import { Host } from '../../host/host.js'
import { sendNotice } from '../../activities/notices.js'
import { openHome } from '../../config/state/home.js'
import { parseConfig } from '../../config/load/load.js'
import type { Notice } from '../../policy/notices/notice.js'

interface Heard {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
}

let dir: string
let server: Server
let heard: Heard[]
/** How the server answers: a status, or not at all. */
let answers: number | 'never'

const notice: Notice = {
  ...{
    id: 'parked/1',
    kind: 'parked',
    title: '2 sessions of pool main waiting',
    at: '2026-11-22T12:00:00.000Z',
  },
  text: 'max-1 walled <until> 13:00 & more.\nWaiting: a, b.',
}

beforeEach(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'outpool-notices-')))
  mkdirSync(join(dir, 'login'))
  heard = []
  answers = 200
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      heard.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body })
      if (answers !== 'never') response.writeHead(answers, { location: '/elsewhere' }).end('an answer')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  process.env['TEST_WEBHOOK'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/s3cret-path`
})
afterEach(async () => {
  Reflect.deleteProperty(process.env, 'TEST_WEBHOOK')
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(dir, { recursive: true, force: true })
})

const webhook = { fromEnv: 'TEST_WEBHOOK' }

async function send(...to: Record<string, unknown>[]) {
  const config = parseConfig(
    stringify({ pool: { accounts: [{ name: 'max-1', configDir: './login' }] }, notices: { to } }),
    join(dir, 'outpool.yaml'),
    { HOME: dir },
  )
  const host = new Host(openHome({ OUTPOOL_HOME: join(dir, 'state') }), config)
  const said: string[] = []
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => said.push(String(line)) > 0)
  const outcome = await sendNotice(host, { notice, channels: to.map(({ name }) => String(name)) })
  return { ...outcome, log: said.join('') }
}

describe('a command', () => {
  it('gets the text on its standard input, the configured environment, and the kind of the notice', async () => {
    const script = `cat > text; printf '%s|%s|%s' "$OUTPOOL_NOTICE" "$OUTPOOL_TITLE" "$WORD" > env`
    const run = ['/bin/sh', '-c', script]
    expect(await send({ name: 'me', command: run, cwd: '.', env: { WORD: 'mine' } })).toMatchObject({
      failed: [],
    })
    expect(readFileSync(join(dir, 'text'), 'utf8')).toBe(`${notice.title}\n\n${notice.text}\n`)
    expect(readFileSync(join(dir, 'env'), 'utf8')).toBe(`parked|${notice.title}|mine`)
  })

  it('that fails, hangs or is missing is reported with its reason, and does not keep the notice from other channels', async () => {
    const { failed } = await send(
      { name: 'fails', command: ['/bin/sh', '-c', 'exit 4'] },
      { name: 'hangs', command: ['/bin/sh', '-c', 'sleep 60'], timeout: '1s' },
      { name: 'missing', command: ['/no/such/program'] },
      { name: 'secret', command: ['/bin/true'], env: { A: { fromEnv: 'NOT_SET_ANYWHERE' } } },
      { name: 'slack', slack: webhook },
    )
    expect(failed.map(({ channel }) => channel)).toEqual(['fails', 'hangs', 'missing', 'secret'])
    expect(failed.map(({ why }) => why)).toEqual([
      'it ended with exit code 4',
      'it did not end within 1 s',
      expect.stringContaining('cannot be started'),
      expect.stringContaining('NOT_SET_ANYWHERE, which is not set'),
    ])
    expect(heard).toHaveLength(1)
  })
})

describe('a web hook', () => {
  it('in the format of Slack, without turning the text into links', async () => {
    expect(await send({ name: 'slack', slack: webhook })).toMatchObject({ failed: [] })
    expect(heard[0]).toMatchObject({ method: 'POST', path: '/s3cret-path' })
    expect(heard[0]!.headers['content-type']).toBe('application/json')
    expect(JSON.parse(heard[0]!.body)).toEqual({
      text: `*outpool: ${notice.title}*\nmax-1 walled &lt;until&gt; 13:00 &amp; more.\nWaiting: a, b.`,
    })
  })

  it('in the format of ntfy, with title, tags, priority and a token', async () => {
    await send({ name: 'phone', ntfy: webhook, token: 'made-up' })
    expect(heard[0]).toMatchObject({ method: 'POST', body: notice.text })
    expect(heard[0]!.headers).toMatchObject({
      ...{ title: `outpool: ${notice.title}`, priority: 'high', tags: 'double_vertical_bar' },
      authorization: 'Bearer made-up',
    })
  })

  it.each<[string, number | 'never', string]>([
    ['refuses', 403, 'it answered 403'],
    ['sends us elsewhere', 302, 'it could not be reached'],
    ['says nothing', 'never', 'it did not answer within 1 s'],
  ])('law 11: an error of one that %s shows neither its address nor its answer', async (_what, how, why) => {
    answers = how
    const { failed, log } = await send({ name: 'phone', ntfy: webhook, timeout: '1s' })
    expect(failed).toEqual([{ channel: 'phone', why }])
    const [, text] = /^\S+ error (.*)\n$/.exec(log) ?? []
    expect(text).toBe(`notice "${notice.title}" could not be sent to phone: ${why}`)
  })

  it('law 11: an invalid address, and one that refuses connections, are not repeated', async () => {
    const dead = createServer()
    await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve))
    const { port } = dead.address() as AddressInfo
    await new Promise((resolve) => dead.close(resolve))
    const { failed } = await send(
      { name: 'odd', slack: 's3cret no address' },
      { name: 'dead', slack: `http://127.0.0.1:${port}/s3cret` },
    )
    expect(failed).toEqual([
      { channel: 'odd', why: 'its address is not a valid URL' },
      { channel: 'dead', why: 'it could not be reached (ECONNREFUSED)' },
    ])
  })
})

describe('a desktop notice', () => {
  it('is a system program that gets title and text as separate arguments', async () => {
    mkdirSync(join(dir, 'bin'))
    for (const program of ['notify-send', 'osascript'])
      writeFileSync(join(dir, 'bin', program), `#!/bin/sh\nprintf '%s\\n' "$@" > ${dir}/shown\n`, {
        mode: 0o755,
      })
    vi.stubEnv('PATH', `${join(dir, 'bin')}:${process.env['PATH'] ?? ''}`)
    expect(await send({ name: 'desk', desktop: true })).toMatchObject({ failed: [] })
    expect(readFileSync(join(dir, 'shown'), 'utf8')).toContain(`outpool: ${notice.title}\n${notice.text}\n`)
  })
})
