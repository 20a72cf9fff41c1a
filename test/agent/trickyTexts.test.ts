/**
 * Texts of every kind, through the whole product into the real agent program: each arrives once, in order, in
 * one turn.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'
import { withEngine } from '../../client/engine/engine.js'
import { signalSession } from '../../client/engine/session.js'
import { openHome } from '../../config/state/home.js'
import { sessionSignals } from '../../workflows/messages.js'
import { promptsOf } from '../../lab/standin/requests.js'
import { trickyTexts } from '../../lab/trickyTexts.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'

/** `OUTPOOL_TEXTS=500 OUTPOOL_TEXTS_SEED=7` sends more, and different ones. */
const count = Number(process.env['OUTPOOL_TEXTS'] ?? 12)
const seed = Number(process.env['OUTPOOL_TEXTS_SEED'] ?? 1)

/** As long as a whole log: 300 KB. */
const longText = Array.from({ length: 6_000 }, (_, n) => `line ${n} of a log, with a few words in it\n`).join(
  '',
)

let fleet: Fleet
beforeAll(async () => {
  fleet = await startFleet({
    accounts: ['max-1'],
    config: { timing: { pollEvery: '1s' } },
  })
  await fleet.up()
})
afterAll(() => fleet.close())

it(
  `law 13: ${count} tricky texts arrive once, in order, in one turn each (seed ${seed})`,
  async () => {
    const start = await fleet.run('start', 'field', '--cwd', fleet.world.cwd, '--', 'Hello.')
    expect(start.code).toBe(0)
    const { sessionId } = await fleet.untilSession('field', ({ phase }) => phase === 'idle')
    const texts = [...trickyTexts(seed, count), longText]
    await withEngine(openHome(fleet.env), async (engine) => {
      for (const text of texts)
        await signalSession(engine, 'field', sessionSignals.send, { id: randomUUID(), text })
    })
    const { standIn } = fleet.world
    const turns = () => standIn.requests({ kind: 'turn', sessionId })
    await until(
      'all texts',
      async () => ({ turns: turns().length, attention: (await fleet.show('field')).attention }),
      (seen) => {
        if (seen.attention !== null) throw new Error(`after ${seen.turns} turns: ${seen.attention}`)
        return seen.turns >= texts.length + 1
      },
      count * 20_000 + 180_000,
    )
    await fleet.untilSession('field', ({ phase }) => phase === 'idle')
    const said = promptsOf(turns().at(-1)!).slice(1)
    const print = (text: string): string => claudeCode.fingerprint(text)
    expect(said.map(print)).toEqual(texts.map(print))
    expect(turns()).toHaveLength(texts.length + 1)
    expect((await fleet.show('field')).attention).toBeNull()
  },
  count * 20_000 + 240_000,
)
