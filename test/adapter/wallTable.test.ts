/**
 * The table of everything that can end a turn, as two versions of the real agent program wrote it
 * (`lab/standin/recordWalls.ts`), read through the adapter.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { claudeCode } from '../../agents/claude-code/index.js'
import type { TranscriptTail } from '../../agents/adapter/transcript.js'

const wantedSchema = z.discriminatedUnion('class', [
  z.object({
    class: z.literal('wall'),
    kinds: z.array(z.string()),
    scope: z.string(),
    resetsAt: z.iso.datetime().nullable(),
  }),
  z.object({ class: z.enum(['transient', 'login', 'billing', 'config', 'context']) }),
])

const transcriptRowSchema = z.looseObject({ type: z.string(), timestamp: z.iso.datetime() })

const fixtureSchema = z.object({
  version: z.string(),
  rows: z.array(
    z.object({ name: z.string(), wanted: wantedSchema, written: z.array(transcriptRowSchema).length(1) }),
  ),
})

const fixture = (version: string): z.output<typeof fixtureSchema> =>
  fixtureSchema.parse(
    JSON.parse(readFileSync(new URL(`fixtures/walls-${version}.json`, import.meta.url), 'utf8')),
  )

const dir = mkdtempSync(join(tmpdir(), 'wall-table-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let files = 0
/** What the adapter reads from a transcript with these entries. */
function read(...rows: object[]): Promise<TranscriptTail> {
  files += 1
  const file = join(dir, `${files}.jsonl`)
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return claudeCode.readTail(file, 0)
}

describe.each(['2.1.330', '2.1.197'])('what %s writes when a turn fails', (version) => {
  const { rows } = fixture(version)

  it('law 6: every class has a row, so that none is left untested', () => {
    const classes = new Set(rows.map(({ wanted }) => wanted.class))
    expect([...classes].sort()).toEqual(['billing', 'config', 'context', 'login', 'transient', 'wall'])
  })

  it.each(rows)('law 6: $name is $wanted.class', async ({ wanted, written: [row] }) => {
    const { last } = await read(row!)
    expect(last).toMatchObject({ kind: 'failure', failure: { class: wanted.class } })
    if (wanted.class !== 'wall' || last?.kind !== 'failure' || last.failure.class !== 'wall') return
    const { wall } = last.failure
    expect(wanted.kinds).toContain(wall.kind)
    expect(wall.scope).toBe(wanted.scope)
    expect(wall.resetsAt).toBe(wanted.resetsAt)
    expect(wall.at).toBe(row!.timestamp)
  })
})

describe('what mentions limits, and is not a wall', () => {
  const walls = fixture('2.1.330').rows.filter(({ wanted }) => wanted.class === 'wall')
  const olderWalls = fixture('2.1.197').rows.filter(({ wanted }) => wanted.class === 'wall')
  const wallRow = walls[0]!.written[0]!
  const olderRow = olderWalls[0]!.written[0]!
  const limitText = "You've hit your 5-hour limit · resets 9:50pm (UTC)"
  const at = wallRow.timestamp
  const said = (content: unknown, more: object = {}): object => ({
    type: 'assistant',
    isSidechain: false,
    timestamp: at,
    message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-opus-5-5', content },
    ...more,
  })
  const typed = (content: unknown, more: object = {}): object => ({
    type: 'user',
    isSidechain: false,
    timestamp: at,
    message: { role: 'user', content },
    ...more,
  })

  it.each([
    ['of today', limitText],
    ['of an older version', "You've hit your session limit · resets 9:50pm (UTC)"],
    ['as a transcript entry', JSON.stringify(wallRow)],
  ])('law 6: an answer that quotes it, %s', async (_name, text) => {
    expect(await read(said([{ type: 'text', text }]))).toMatchObject({ last: { kind: 'answer', at } })
  })

  it.each([
    ['a text', limitText],
    ['a transcript', `${JSON.stringify(wallRow)}\n${JSON.stringify(olderRow)}\n`],
  ])('law 6: a tool result that holds %s', async (_name, content) => {
    const { last, prompts } = await read(
      said([{ type: 'tool_use', id: 'toolu_1', name: 'Read', input: { file_path: '/x.jsonl' } }]),
      typed([{ type: 'tool_result', tool_use_id: 'toolu_1', content }], { toolUseResult: { ...wallRow } }),
    )
    expect(last).toMatchObject({ kind: 'answer' })
    expect(prompts).toEqual([])
  })

  it.each([
    ['as a string', (text: string) => text],
    ['as a block', (text: string) => [{ type: 'text', text }]],
  ])('law 6: a prompt that is an entry of a transcript, %s', async (_name, content) => {
    const text = JSON.stringify(wallRow)
    expect(await read(typed(content(text)))).toMatchObject({ last: null, prompts: [text] })
  })

  it('law 6: a wall that a subagent met', async () => {
    const sidechain = [...walls, ...olderWalls].map(({ written: [row] }) => ({ ...row, isSidechain: true }))
    expect(await read(...sidechain)).toMatchObject({ last: null })
  })

  it("law 6: the program's own made-up line that answers nothing", async () => {
    const made = { id: 'x', role: 'assistant', model: '<synthetic>' }
    const none = { ...made, content: [{ type: 'text', text: 'No response requested.' }] }
    expect(await read(said(null, { message: none }))).toMatchObject({ last: null })
    const quoted = { ...made, content: [{ type: 'text', text: limitText }] }
    expect(await read(said(null, { message: quoted }))).toMatchObject({ last: null })
  })

  it('law 6: an error that contains another person’s words about a limit', async () => {
    const throttled = fixture('2.1.197').rows.find(({ name }) => name === '429 with an API key')!.written[0]!
    const errorText = `API Error: Request rejected (429) · ${limitText}\n${limitText}`
    const message = { model: '<synthetic>', role: 'assistant', content: [{ type: 'text', text: errorText }] }
    const { last } = await read({ ...throttled, message })
    expect(last).toMatchObject({ kind: 'failure', failure: { class: 'transient' } })
  })

  it('law 6: a wall that was followed by an answer no longer counts', async () => {
    expect(await read(wallRow, said([{ type: 'text', text: 'On it.' }]))).toMatchObject({
      last: { kind: 'answer' },
    })
  })

  it('law 6: a wall of which only a part is written yet', async () => {
    const file = join(dir, 'torn.jsonl')
    const line = JSON.stringify(wallRow)
    writeFileSync(file, line.slice(0, -10))
    const torn = await claudeCode.readTail(file, 0)
    expect(torn).toMatchObject({ offset: 0, last: null })
    writeFileSync(file, `${line}\n`)
    const whole = await claudeCode.readTail(file, torn.offset)
    expect(whole.last).toMatchObject({ kind: 'failure', failure: { class: 'wall' } })
    expect(await claudeCode.readTail(file, whole.offset)).toMatchObject({ offset: whole.offset, last: null })
  })
})
