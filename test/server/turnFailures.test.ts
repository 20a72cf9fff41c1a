/**
 * Law 6 on one host: what each failed turn means for its session, from the entries that the agent program
 * really wrote. The same words mean other things on an account than on a key.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { TurnFailure } from '../../agents/adapter/transcript.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { Host } from '../../host/host.js'
import { recordTurnFailure, type WatchOutcome } from '../../activities/watch/turnFailures.js'
import { openHome } from '../../config/state/home.js'
import { parseConfig } from '../../config/load/load.js'
import type { Wall } from '../../policy/account/account.js'
import type { PlaceRef } from '../../policy/session/place.js'

const fixture = new URL('../adapter/fixtures/walls-2.1.330.json', import.meta.url)
const { rows } = z
  .object({ rows: z.array(z.object({ name: z.string(), written: z.array(z.unknown()) })) })
  .parse(JSON.parse(readFileSync(fixture, 'utf8')))

const account: PlaceRef = { kind: 'account', name: 'max-1' }
const key: PlaceRef = { kind: 'substrate', name: 'key' }
const cooldown = 5 * 60_000

let dir: string
let host: Host

const startWorker = (): Host =>
  new Host(
    openHome({ OUTPOOL_HOME: join(dir, 'state') }),
    parseConfig(
      `pool: { accounts: [{ name: max-1, configDir: ${dir} }] }\nsubstrates: [{ name: key }]\n`,
      join(dir, 'outpool.yaml'),
      {},
    ),
  )

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-faults-'))
  host = startWorker()
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** What the program wrote at this failure, read as a watch reads it; `at` replaces the recorded time. */
async function faultOf(name: string, at?: string): Promise<TurnFailure> {
  const written = rows.find((row) => row.name === name)!.written.map((row) => JSON.stringify(row))
  const text = written.map((line) => `${line}\n`).join('')
  const file = join(dir, 'conversation.jsonl')
  writeFileSync(file, at === undefined ? text : text.replace(/("timestamp":)"[^"]+"/g, `$1"${at}"`))
  const { last } = await claudeCode.readTail(file, 0)
  if (last?.kind !== 'failure') throw new Error(`no failure was read from ${name}`)
  return last.failure
}
const said = async (place: PlaceRef, name: string, model: string | null = null): Promise<WatchOutcome> =>
  recordTurnFailure(host, place, model, await faultOf(name))
const wallsOf = ({ name }: PlaceRef): Wall[] => host.quota.read(name).walls
const lasts = ({ at, resetsAt }: Wall): number => Date.parse(resetsAt!) - Date.parse(at)

describe('law 6: on an account', () => {
  it.each([
    ['five-hour limit', 'walled'],
    ['usage credits used up', 'walled'],
    ['400, credit balance too low', 'walled'],
    ['401 with a login', 'login'],
    ['refresh token rejected', 'login'],
    ['403, token revoked', 'login'],
    ['400, organization disabled', 'login'],
    ['529', 'transient'],
    ['500', 'transient'],
    ['429 without unified headers', 'transient'],
    ['connection closed without an answer', 'transient'],
    ['404, no such model', 'config'],
    ['400, prompt too long', 'context'],
  ])('law 6: %s is %s', async (name, kind) => {
    expect((await said(account, name)).kind).toBe(kind)
    expect(wallsOf(account)).toHaveLength(kind === 'walled' ? 1 : 0)
    expect(host.quota.read('max-1').login).toBe(kind === 'login' ? 'out' : 'unknown')
  })

  it('law 6: a wall keeps the reset that the program named, and is remembered over a restart', async () => {
    const news = await said(account, 'five-hour limit')
    const wall = { kind: 'five_hour', scope: 'account', resetsAt: '2026-11-22T05:12:00.000Z' }
    expect(news).toMatchObject({ kind: 'walled', wall })
    host = startWorker()
    expect(wallsOf(account)).toMatchObject([wall])
  })

  it('law 6: a wall of one model binds that model alone, unless a session with another met it', async () => {
    await said(account, 'Opus limit', 'claude-opus-4-5')
    expect(wallsOf(account)).toMatchObject([{ kind: 'seven_day_opus', scope: 'model:opus' }])
    await said(account, 'Opus limit', 'claude-sonnet-4-5')
    expect(wallsOf(account).map(({ scope }) => scope)).toEqual(['model:opus', 'account'])
  })

  it('law 6: an unpaid bill has no known end', async () => {
    const news = await said(account, '400, credit balance too low')
    expect(news).toMatchObject({ kind: 'walled', wall: { kind: 'credit', scope: 'account', resetsAt: null } })
  })

  it('law 6: a login that was seen after the refusal still counts', async () => {
    host.quota.recordLogin('max-1', 'in', '2030-01-01T00:00:00.000Z')
    expect((await said(account, '401 with a login')).kind).toBe('login')
    expect(host.quota.read('max-1').login).toBe('in')
  })
})

describe('law 6: on a substrate any failure that keeps it from answering ends the stay there', () => {
  it.each([
    ['five-hour limit', 'five_hour'],
    ['429 with an API key', 'rate_limit'],
    ['529', 'overloaded'],
    ['401 with an API key', 'login'],
    ['404, no such model', 'config'],
    ['400, credit balance too low', 'credit'],
  ])('law 6: %s is a wall, with an end', async (name, kind) => {
    const news = await said(key, name)
    expect(news).toMatchObject({ kind: 'walled', wall: { kind, scope: 'account' } })
    expect(wallsOf(key)[0]!.resetsAt).not.toBeNull()
    // An error about a key loses no login.
    expect(host.quota.read('key').login).toBe('unknown')
  })

  it.each([['500'], ['connection closed without an answer']])(
    'law 6: %s is a failure on the way there, and not a wall',
    async (name) => {
      expect((await said(key, name)).kind).toBe('transient')
      expect(wallsOf(key)).toEqual([])
    },
  )

  it('law 6: a conversation that is too long for it says nothing of the substrate', async () => {
    expect((await said(key, '400, prompt too long')).kind).toBe('unfit')
    expect(wallsOf(key)).toEqual([])
  })

  it('one that keeps refusing rests longer each time; the same entry read again is the same refusal', async () => {
    const refused = async (at: string): Promise<Wall> => {
      const news = recordTurnFailure(host, key, null, await faultOf('529', at))
      if (news.kind !== 'walled') throw new Error(`it is ${news.kind}`)
      return news.wall
    }
    expect(lasts(await refused('2026-11-22T12:00:00.000Z'))).toBe(cooldown)
    expect(lasts(await refused('2026-11-22T12:06:00.000Z'))).toBe(2 * cooldown)
    host = startWorker()
    expect(lasts(await refused('2026-11-22T12:06:00.000Z'))).toBe(2 * cooldown)
    expect(lasts(await refused('2026-11-22T12:17:00.000Z'))).toBe(4 * cooldown)
    expect(lasts(await refused('2026-11-22T20:00:00.000Z'))).toBe(cooldown)
  })
})
