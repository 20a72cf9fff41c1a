/** Probes with the real program; a proxy on loopback answers for its fixed hosts. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AgentCommand, Place } from '../../agents/adapter/place.js'
import { probe } from '../../agents/claude-code/limits/probe.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import { blankLogin, type Login } from '../../lab/standin/logins.js'
import { instantsFrom } from '../../lab/standin/wallCases.js'
import { startWorld, type World } from '../../lab/standin/world.js'

const dir = mkdtempSync(join(tmpdir(), 'adapter-probe-'))
let world: World
beforeAll(async () => {
  world = await startWorld(dir)
})
afterAll(async () => {
  await world.close()
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

const now = (): string => new Date().toISOString()
const command = (): AgentCommand => ({
  command: agentProgram,
  args: [],
  env: { ANTHROPIC_BASE_URL: world.standIn.url },
})
const probeOf = (login: Login): ReturnType<typeof probe> => {
  const place: Place = { kind: 'account', name: 'a', configDir: login.configDir, env: login.env }
  return probe(place, command(), now, world.env(null, { nonEssentialTraffic: true }))
}
/** Requests that reached a model: each would spend budget and may begin a window. */
const spent = (account: string): number =>
  world.standIn
    .requests({ account })
    .filter(({ kind }) => kind === 'turn' || kind === 'quota' || kind === 'title').length

describe('a probe', () => {
  it('reads login, identity and windows, and spends nothing', async () => {
    const { soon, later } = instantsFrom(new Date())
    const account = world.standIn.account('well').windows({
      five_hour: { used: 0.33, resetsAt: soon },
      seven_day: { used: 0.13, resetsAt: later },
    })
    const login = world.login('well', {
      settings: {
        hooks: { SessionStart: [{ hooks: [{ type: 'command', command: `touch ${dir}/hook-ran` }] }] },
      },
    })
    const before = now()
    const reading = await probeOf(login)
    expect(reading).toMatchObject({ login: 'in', identity: account.uuid, walls: [] })
    expect(reading.windows).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'five_hour', used: 0.33, resetsAt: soon.toISOString() }),
        expect.objectContaining({ name: 'seven_day', used: 0.13, resetsAt: later.toISOString() }),
      ]),
    )
    for (const { readAt } of reading.windows) expect(readAt >= before && readAt <= now()).toBe(true)
    expect((reading.probedAt ?? '') >= before).toBe(true)
    expect(spent('well')).toBe(0)
    expect(() => readFileSync(join(dir, 'hook-ran'))).toThrow(/ENOENT/)
  })

  it('law 4: if the endpoint is throttled or fails, the account is logged in with unknown windows', async () => {
    world.standIn.account('throttled').usage = { mode: 'throttled', retryAfter: 60 }
    expect(await probeOf(world.login('throttled'))).toMatchObject({ login: 'in', windows: [] })
    world.standIn.account('failing').usage = { mode: 'error', status: 500 }
    expect(await probeOf(world.login('failing'))).toMatchObject({ login: 'in', windows: [] })
  })

  it('law 6: a missing, blank, expired or revoked login counts as logged out', async () => {
    expect(await probeOf(world.login('nobody', { kind: 'none' }))).toMatchObject({
      login: 'out',
      windows: [],
    })
    const blank = world.login('blank')
    blankLogin(blank.configDir)
    expect(await probeOf(blank)).toMatchObject({ login: 'out', windows: [] })
    world.standIn.account('expired').revoked = true
    const expiresAt = new Date(Date.now() - 60_000)
    expect(await probeOf(world.login('expired', { expiresAt }))).toMatchObject({ login: 'out', windows: [] })
    // The program still believes this one to be valid.
    world.standIn.account('revoked').revoked = true
    expect(await probeOf(world.login('revoked'))).toMatchObject({ login: 'out', windows: [] })
  })

  it('a key and a token count as logged in, without windows or identity', async () => {
    for (const kind of ['api-key', 'env-token'] as const) {
      expect(await probeOf(world.login(kind, { kind }))).toMatchObject({
        login: 'in',
        windows: [],
        identity: null,
      })
      expect(spent(kind)).toBe(0)
    }
  })
})

it("reads the program's version", async () => {
  expect(await claudeCode.version(command())).toBe('2.1.330')
})
