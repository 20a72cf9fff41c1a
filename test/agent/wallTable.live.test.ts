/** A part of the table with the real agent program: what it writes today is read correctly. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'
import type { TranscriptTail } from '../../agents/adapter/transcript.js'
import { runWallCase, transcriptIn } from '../../lab/standin/runWallCase.js'
import { fewRetries, instantsFrom, wallCases } from '../../lab/standin/wallCases.js'
import { runAgent, startWorld, type World } from '../../lab/standin/world.js'

let dir: string
let world: World

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'wall-live-'))
  world = await startWorld(dir)
})
afterAll(async () => {
  await world.close()
  rmSync(dir, { recursive: true, force: true })
})

const chosen = [
  'five-hour limit',
  'five-hour limit without a reset',
  'weekly limit',
  'Opus limit',
  'individual spend limit',
  '429 without unified headers',
  '429 with an API key and the headers of a plan limit',
  '529',
  '403, token revoked',
  'no credential',
  '400, credit balance too low',
  '404, no such model',
  '400, prompt too long',
]

describe('the real program at the wall', () => {
  it.each(chosen)('law 6: %s', async (name) => {
    const row = wallCases.find((one) => one.name === name)!
    const instants = instantsFrom(new Date())
    const startedAt = new Date().toISOString()
    const ran = await runWallCase(world, row, { sessionId: randomUUID(), instants, env: fewRetries })
    expect(ran).toMatchObject({ code: 1, result: { is_error: true } })
    const { last, prompts } = await claudeCode.readTail(ran.transcript!, 0)
    expect(prompts).toEqual(['say hello'])
    const { wanted } = row
    expect(last).toMatchObject({ kind: 'failure', failure: { class: wanted.class } })
    if (wanted.class !== 'wall' || last?.kind !== 'failure' || last.failure.class !== 'wall') return
    const { wall } = last.failure
    expect(wanted.kinds).toContain(wall.kind)
    expect(wall.scope).toBe(wanted.scope)
    expect(wall.resetsAt).toBe(wanted.resets === null ? null : instants[wanted.resets].toISOString())
    expect(wall.at >= startedAt && wall.at <= new Date().toISOString()).toBe(true)
  })
})

describe('the real program mentioning limits', () => {
  async function run(name: string, prompt: string): Promise<TranscriptTail> {
    const login = world.login(name)
    const sessionId = randomUUID()
    const ended = await runAgent(
      ['-p', '--session-id', sessionId, '--dangerously-skip-permissions', '--', prompt],
      { cwd: world.cwd, env: world.env(login, { extra: { ...fewRetries, IS_SANDBOX: '1' } }) },
    )
    expect(ended).toMatchObject({ code: 0 })
    return claudeCode.readTail(transcriptIn(login.configDir, sessionId)!, 0)
  }

  it('law 6: a transcript with a wall in prompt, tool result and answer is not a wall', async () => {
    const walled = wallCases.find(({ name }) => name === 'five-hour limit')!
    const options = { sessionId: randomUUID(), instants: instantsFrom(new Date()), env: fewRetries }
    const { written, result } = await runWallCase(world, walled, options)
    const row = JSON.stringify(written[0])
    const file = join(world.cwd, 'somebody-elses.jsonl')
    writeFileSync(file, `${row}\n`)
    world.standIn.account('quoting').answer([
      {
        text: result!.result!,
        tools: [{ name: 'Bash', input: { command: `cat ${file}`, description: 'Read' } }],
      },
      `${result!.result!}\n${row}`,
    ])
    expect(await run('quoting', row)).toMatchObject({ last: { kind: 'answer' }, prompts: [row] })
    const [, second] = world.standIn.requests({ account: 'quoting', kind: 'turn' })
    expect(JSON.stringify(second!.messages)).toContain('tool_result')
  })

  it('law 6: a wall that only a subagent meets is not a wall of the session', async () => {
    const resetsAt = new Date(Date.now() + 3_600_000)
    world.standIn.account('parent').answer(({ request, turn }) => {
      if (request.subagent) return { wall: { kind: 'five_hour', resetsAt } }
      const input = { description: 'Look', prompt: 'Look around.', subagent_type: 'general-purpose' }
      return turn === 1
        ? { tools: [{ name: 'Agent', input: { ...input, run_in_background: false } }] }
        : 'Done.'
    })
    expect(await run('parent', 'start it')).toMatchObject({ last: { kind: 'answer' } })
    const walled = world.standIn.requests({ account: 'parent', outcome: 'walled' })
    expect(walled.map(({ subagent }) => subagent)).toEqual([true])
  })
})
