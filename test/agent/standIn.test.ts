/** The stand-in API is useful only as long as the real agent program accepts it as the real one. */
import { randomUUID } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ageUsageCache, type Login } from '../../lab/standin/logins.js'
import { conversationText, promptsOf } from '../../lab/standin/requests.js'
import { transcriptIn } from '../../lab/standin/runWallCase.js'
import { fewRetries } from '../../lab/standin/wallCases.js'
import { type PrintResult, runAgent, startWorld, type World } from '../../lab/standin/world.js'

let dir: string
let world: World

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'stand-in-'))
  world = await startWorld(dir)
})
afterEach(async () => {
  await world.close()
  rmSync(dir, { recursive: true, force: true })
})

const hour = 3_600_000
const inHours = (hours: number): Date => new Date(Math.floor(Date.now() / 60_000) * 60_000 + hours * hour)

const run = (login: Login, ...args: string[]): Promise<PrintResult> =>
  runAgent(['-p', ...args], {
    cwd: world.cwd,
    env: world.env(login, { extra: { ...fewRetries, IS_SANDBOX: '1' } }),
  })

const usage = (login: Login): Promise<PrintResult> =>
  runAgent(['-p', '/usage', '--no-session-persistence'], {
    cwd: world.cwd,
    env: world.env(login, { nonEssentialTraffic: true }),
  })

const cacheSchema = z.looseObject({
  cachedUsageUtilization: z
    .looseObject({
      accountUuid: z.string(),
      utilization: z.looseObject({
        five_hour: z.object({ utilization: z.number(), resets_at: z.string() }).nullable(),
        seven_day_opus: z.object({ utilization: z.number(), resets_at: z.string() }).nullable(),
      }),
    })
    .optional(),
})
const cached = (login: Login): z.output<typeof cacheSchema>['cachedUsageUtilization'] =>
  cacheSchema.parse(JSON.parse(readFileSync(join(login.configDir, '.claude.json'), 'utf8')))
    .cachedUsageUtilization

describe('conversations', () => {
  it('law 5: a conversation with a tool call goes on under another account, all of it in the next request', async () => {
    const [first, second] = ['max-1', 'max-2'].map((name) => world.login(name))
    const sessionId = randomUUID()
    world.standIn.answer([
      { text: 'I will look.', tools: [{ name: 'Bash', input: { command: 'echo $((40 + 2))-apples' } }] },
      'There are 42 apples.',
      'As I said: 42.',
    ])
    const skip = '--dangerously-skip-permissions'
    const said = await run(first!, skip, '--session-id', sessionId, '--', 'How many apples?')
    expect(said.stdout.trim()).toBe('There are 42 apples.')

    world.standIn.account('max-1').wall('five_hour', inHours(2))
    const walled = await run(first!, '--resume', sessionId, '--', 'Sure?')
    expect(walled.code).toBe(1)
    expect(walled.stdout).toContain('limit · resets')

    const from = transcriptIn(first!.configDir, sessionId)!
    const to = from.replace(first!.configDir, second!.configDir)
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(from, to)
    const moved = await run(second!, '--resume', sessionId, '--', 'Really sure?')
    expect(moved.stdout.trim()).toBe('As I said: 42.')

    const resumed = await world.standIn.waitForRequest(
      (one) => one.account === 'max-2' && one.kind === 'turn',
    )
    expect(resumed).toMatchObject({ sessionId, turn: 3, outcome: 'answered' })
    expect(promptsOf(resumed)).toEqual(['How many apples?', 'Sure?', 'Really sure?'])
    for (const part of ['I will look.', '42-apples', 'There are 42 apples.'])
      expect(conversationText(resumed)).toContain(part)
  })

  it('a budget walls by itself, shows its use, and is whole again after its reset', async () => {
    const login = world.login('max-1')
    const account = world.standIn.account('max-1').budget(2, { resets: { afterMs: hour } })
    expect(await run(login, 'one')).toMatchObject({ code: 0 })
    expect(account.windowsAt(new Date()).five_hour!.used).toBe(0.5)
    expect(await run(login, 'two')).toMatchObject({ code: 0 })
    expect(await run(login, 'three')).toMatchObject({ code: 1 })
    const { used, resetsAt } = account.windowsAt(new Date()).five_hour!
    expect(used).toBe(1)
    const outcomes = world.standIn.requests({ kind: 'turn' }).map(({ outcome }) => outcome)
    expect(outcomes).toEqual(['answered', 'answered', 'walled'])

    expect(account.decide('turn', null, new Date(resetsAt.getTime() - 1))).toMatchObject({ kind: 'wall' })
    const turns = [1, 2, 3].map(() => account.decide('turn', null, resetsAt).kind)
    expect(turns).toEqual(['answer', 'answer', 'wall'])
  })

  it('a hanging request is seen, and ends when it is released', async () => {
    const login = world.login('max-1')
    world.standIn.account('max-1').break('hang', 1)
    const running = run(login, 'hello')
    await world.standIn.waitForRequest(({ outcome }) => outcome === 'hanging')
    world.standIn.release()
    expect(await running).toMatchObject({ code: 0 })
  })

  it('an API key is a separate account; an unknown key is refused', async () => {
    const keyed = world.login('key-1', { kind: 'api-key' })
    expect(await run(keyed, 'hello')).toMatchObject({ code: 0 })
    expect(world.standIn.requests({ account: 'key-1' })).toHaveLength(1)
    const wrong = await run({ ...keyed, env: { ANTHROPIC_API_KEY: 'sk-ant-api03-nobody' } }, 'hello')
    expect(wrong).toMatchObject({ code: 1 })
    expect(world.standIn.requests({ outcome: 'unauthorized' }).length).toBeGreaterThan(0)
  })
})

describe('what the program requests from its fixed hosts', () => {
  it("a walled account's usage says so, until the reset", async () => {
    const login = world.login('max-1')
    world.standIn.account('max-1').windows({ five_hour: { used: 0.4, resetsAt: inHours(3) } })
    world.standIn.account('max-1').wall('five_hour', inHours(3))
    expect((await usage(login)).stdout).toContain('Current session: 100% used')
    world.standIn.account('max-1').lift()
    ageUsageCache(login.configDir)
    expect((await usage(login)).stdout).toContain('Current session: 40% used')
  })

  it('usage comes from the account, is printed, and stays in the config dir', async () => {
    const login = world.login('max-1')
    const resetsAt = inHours(2)
    const account = world.standIn.account('max-1').windows({
      five_hour: { used: 0.33, resetsAt },
      seven_day: { used: 0.13, resetsAt: inHours(60) },
      seven_day_opus: { used: 0.98, resetsAt: inHours(60) },
    })
    const { stdout } = await usage(login)
    expect(stdout).toMatch(/Current session: 33% used · resets/)
    expect(stdout).toMatch(/Current week \(all models\): 13% used · resets/)
    expect(cached(login)).toMatchObject({
      accountUuid: account.uuid,
      utilization: {
        five_hour: { utilization: 33, resets_at: resetsAt.toISOString() },
        seven_day_opus: { utilization: 98 },
      },
    })
    expect(world.standIn.requests({ kind: 'turn' })).toEqual([])
  })

  it('within a minute the program repeats what it has cached, without a request', async () => {
    const login = world.login('max-1')
    const account = world.standIn.account('max-1').windows({ five_hour: { used: 0.4, resetsAt: inHours(3) } })
    await usage(login)
    account.windows({ five_hour: { used: 0.8, resetsAt: inHours(3) } })
    expect((await usage(login)).stdout).toContain('Current session: 40% used')
    expect(world.standIn.requests({ path: '/api/oauth/usage' })).toHaveLength(1)
  })

  it.each([{ mode: 'throttled', retryAfter: 60 } as const, { mode: 'error', status: 500 } as const])(
    'a usage endpoint without an answer ($mode) leaves no percentages',
    async (mode) => {
      const login = world.login('max-1')
      world.standIn.account('max-1').windows({ five_hour: { used: 0.33, resetsAt: inHours(2) } }).usage = mode
      const { stdout } = await usage(login)
      expect(stdout).not.toContain('% used')
      expect(world.standIn.requests({ path: '/api/oauth/usage' }).length).toBeGreaterThan(0)
      expect(cached(login)).toBeUndefined()
    },
  )

  it('a stale token is refreshed once; the same login in a second dir is then logged out', async () => {
    const stale = { expiresAt: new Date(0) }
    const [one, copy] = [world.login('max-1', stale), world.login('max-1', { ...stale, dirName: 'copy' })]
    expect(await run(one, 'hello')).toMatchObject({ code: 0 })
    expect(await run(copy, 'hello')).toMatchObject({ code: 1 })
  })

  it('every other host is refused, so that nothing leaves the machine', async () => {
    const answered = await new Promise<number | undefined>((done, fail) => {
      const connect = request(world.proxy.url, { method: 'CONNECT', path: 'example.com:443' })
      connect.on('connect', (response) => done(response.statusCode)).on('error', fail)
      connect.end()
    })
    expect(answered).toBe(403)
    expect((await fetch(world.proxy.url)).status).toBe(403)
    expect(world.proxy.refused).toEqual(['example.com:443', '/'])
  })
})
