/** Which conversation a launch continues, whatever happened to the places where it lay. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { carryTranscripts } from '../../activities/session/carryTranscripts.js'
import type { LaunchRequest } from '../../activities/contracts.js'
import { recordProgress } from '../../activities/session/conversation.js'
import { Host } from '../../host/host.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { openHome } from '../../config/state/home.js'
import { parseConfig } from '../../config/load/load.js'

const sessionId = '7da1d9f0-0000-4000-8000-000000000000'
const fork = '7da1d9f0-0000-4000-8000-000000000001'
const session = 's'
const unreachable = 'ConversationUnreachable'

/** A host whose accounts come and go, and the conversation of one session as its agent would write it. */
class Scene {
  readonly dir = mkdtempSync(join(tmpdir(), 'outpool-conversation-'))
  /** Config dirs by account. */
  readonly dirs = new Map<string, string>()
  host: Host
  said: string[] = []
  /** Where it was written last. */
  file: string | null = null
  #time = Date.parse('2026-01-02T03:04:05.000Z')
  #fence = 0

  constructor(accounts: readonly string[] = ['a', 'b', 'c']) {
    for (const name of accounts) this.configure(name, name)
    this.host = this.restart()
  }

  configure(account: string, folder: string): void {
    const path = join(this.dir, folder)
    mkdirSync(path, { recursive: true })
    this.dirs.set(account, path)
  }

  /** The worker starts again, with the configuration as it is now. */
  restart(): Host {
    const accounts = [...this.dirs].map(([name, configDir]) => `{ name: ${name}, configDir: ${configDir} }`)
    const config = parseConfig(
      `pool: { accounts: [${accounts.join(', ')}] }`,
      join(this.dir, 'outpool.yaml'),
      {},
    )
    this.host = new Host(openHome({ OUTPOOL_HOME: join(this.dir, 'state') }), config)
    return this.host
  }

  request(account: string, change: Partial<LaunchRequest> = {}): LaunchRequest {
    return {
      ...{ session, sessionId, fence: ++this.#fence, agent: 'claude-code', cwd: this.dir, model: null },
      ...{ mode: this.said.length > 0 ? ('resume' as const) : ('new' as const), prompt: null, status: '' },
      place: { kind: 'account' as const, name: account },
      ...change,
    }
  }

  /** What a launch there would continue: null for a new conversation. */
  async goesOnWith(account: string, change: Partial<LaunchRequest> = {}): Promise<string | null> {
    const request = this.request(account, change)
    const place = await this.host.place(request.place)
    const { own } = await carryTranscripts(this.host, claudeCode, place, request, (carry) => carry())
    const launch = { ...request, process: null, transcriptFrom: 0, forkedAt: null, prompt: null }
    this.host.records.saveLaunch(session, launch)
    return own
  }

  /**
   * The agent of a successful launch writes an answer, and is stopped. `kill`: nothing records how far it
   * came.
   */
  async writes(file: string | null, account: string, text: string, kill = false): Promise<void> {
    const configDir = this.dirs.get(account) ?? ''
    this.file = file ?? join(configDir, 'projects', '-work', `${sessionId}.jsonl`)
    mkdirSync(dirname(this.file), { recursive: true })
    this.#time += 1_000
    const at = new Date(this.#time).toISOString()
    const row = {
      type: 'user',
      uuid: `u-${this.said.length}`,
      timestamp: at,
      message: { role: 'user', content: text },
    }
    appendFileSync(this.file, `${JSON.stringify(row)}\n`)
    this.said.push(text)
    if (!kill) await recordProgress(this.host, claudeCode, session, sessionId, this.file, true)
  }

  /** All that is said there, in order. */
  textsIn(file: string): string[] {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { message: { content: string } }).message.content)
  }

  close(): void {
    rmSync(this.dir, { recursive: true, force: true })
  }
}

let scene: Scene
beforeEach(() => {
  scene = new Scene()
})
afterEach(() => scene.close())

describe('a session continues with everything that it ever wrote', () => {
  it('law 5: from an account that the configuration no longer names', async () => {
    await scene.writes(await scene.goesOnWith('a'), 'a', 'first')
    scene.dirs.delete('a')
    scene.restart()
    const file = await scene.goesOnWith('b')
    expect(file).toContain(join(scene.dir, 'b'))
    expect(scene.textsIn(file!)).toEqual(['first'])
  })

  it("law 5: from the account's former folder, after the configuration named another", async () => {
    await scene.writes(await scene.goesOnWith('a'), 'a', 'first')
    scene.configure('a', 'a-new')
    scene.restart()
    const file = await scene.goesOnWith('a')
    expect(file).toContain(join(scene.dir, 'a-new'))
    expect(scene.textsIn(file!)).toEqual(['first'])
  })

  it('law 5: an older copy does not pass for the newest known entry, however new its file', async () => {
    await scene.writes(await scene.goesOnWith('a'), 'a', 'first')
    await scene.writes(await scene.goesOnWith('b'), 'b', 'second')
    const newest = scene.file!
    const older = join(scene.dir, 'a', 'projects', '-work', `${sessionId}.jsonl`)
    utimesSync(older, new Date(), new Date(Date.now() + 3_600_000))
    renameSync(newest, `${newest}.away`)
    scene.dirs.delete('b')
    scene.restart()
    for (const account of ['a', 'c'])
      await expect(scene.goesOnWith(account)).rejects.toMatchObject({ kind: unreachable, isRetryable: false })
    renameSync(`${newest}.away`, newest)
    expect(scene.textsIn((await scene.goesOnWith('c'))!)).toEqual(['first', 'second'])
  })

  it('law 5: a conversation that is missing everywhere is not begun again, and the error says where it was', async () => {
    await scene.writes(await scene.goesOnWith('a'), 'a', 'first')
    rmSync(scene.file!)
    for (const account of ['a', 'b'])
      await expect(scene.goesOnWith(account)).rejects.toThrow(`last written at ${scene.file!}`)
  })

  it("law 5: a file that an ending program began at the conversation's place is not mistaken for it", async () => {
    await scene.writes(await scene.goesOnWith('a'), 'a', 'first')
    const file = scene.file!
    renameSync(file, `${file}.away`)
    // As the program does it: its last known transcript is named, but missing.
    writeFileSync(file, `${JSON.stringify({ type: 'last-prompt', leafUuid: 'u-0', sessionId })}\n`)
    for (const account of ['a', 'b'])
      await expect(scene.goesOnWith(account)).rejects.toMatchObject({ kind: unreachable })
    renameSync(`${file}.away`, file)
    expect(scene.textsIn((await scene.goesOnWith('b'))!)).toEqual(['first'])
  })

  it('law 5: the same holds if only the engine knows that it was written', async () => {
    const lastWritten = { sessionId, transcript: join(scene.dir, 'gone', `${sessionId}.jsonl`) }
    await expect(scene.goesOnWith('a', { mode: 'resume', lastWritten })).rejects.toMatchObject({
      kind: unreachable,
    })
    expect(await scene.goesOnWith('a', { mode: 'resume' })).toBeNull()
  })

  it('law 5: on a fallback, a fork that was begun is never begun a second time', async () => {
    await scene.writes(await scene.goesOnWith('a'), 'a', 'first')
    expect(await scene.goesOnWith('b', { sessionId: fork, forkOf: sessionId })).toBeNull()
    const written = join(scene.dir, 'b', 'projects', '-work', `${fork}.jsonl`)
    cpSync(scene.file!, written)
    await recordProgress(scene.host, claudeCode, session, fork, written, true)
    rmSync(written)
    await expect(scene.goesOnWith('b', { sessionId: fork, forkOf: sessionId })).rejects.toMatchObject({
      kind: unreachable,
    })
  })
})

type Change =
  | { do: 'move' | 'fails' | 'killed'; to: string }
  | { do: 'forget' | 'name' | 'rename'; account: string }
  | { do: 'restart' | 'hide' | 'touch' }

const account = fc.constantFrom('a', 'b', 'c')
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('move', 'fails', 'killed'), to: account }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('forget', 'name', 'rename'), account }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart', 'hide', 'touch') }) },
)

async function apply(scene: Scene, step: Change, n: number): Promise<void> {
  switch (step.do) {
    case 'move':
    case 'fails':
    case 'killed': {
      if (!scene.dirs.has(step.to)) return
      let file: string | null
      try {
        file = await scene.goesOnWith(step.to)
      } catch (error) {
        expect(error).toMatchObject({ kind: unreachable })
        return
      }
      // The next request holds every earlier message.
      expect(file === null ? [] : scene.textsIn(file)).toEqual(scene.said)
      // A launch that failed may or may not have written something.
      if (step.do !== 'fails' || n % 2 === 0)
        await scene.writes(file, step.to, `said ${n}`, step.do === 'killed')
      return
    }
    case 'forget':
      if (scene.dirs.size > 1) scene.dirs.delete(step.account)
      break
    case 'name':
      scene.configure(step.account, step.account)
      break
    case 'rename':
      scene.configure(step.account, `${step.account}-${n}`)
      break
    case 'hide':
      if (scene.file === null || !existsSync(scene.file)) return
      renameSync(scene.file, `${scene.file}.away`)
      if (n % 2 === 0) renameSync(`${scene.file}.away`, scene.file)
      return
    case 'touch':
      for (const dir of scene.dirs.values()) {
        const copy = join(dir, 'projects', '-work', `${sessionId}.jsonl`)
        if (existsSync(copy) && copy !== scene.file)
          utimesSync(copy, new Date(), new Date(Date.now() + n * 60_000))
      }
      return
    case 'restart':
      break
  }
  scene.restart()
}

describe('over any sequence of configuration changes, failures, moves and kills', () => {
  it('law 5: the next request of a session holds every earlier message, or none is made', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 2, maxLength: 14 }), async (changes) => {
        const world = new Scene()
        try {
          await world.writes(await world.goesOnWith('a'), 'a', 'the beginning')
          for (const [n, step] of changes.entries()) await apply(world, step, n)
        } finally {
          world.close()
        }
      }),
      { numRuns: Number(process.env['OUTPOOL_RUNS'] ?? 20) },
    )
  })
})

it('law 5: a conversation without any entry may begin anywhere', async () => {
  expect(await scene.goesOnWith('a')).toBeNull()
  expect(await scene.goesOnWith('b', { mode: 'resume' })).toBeNull()
})
