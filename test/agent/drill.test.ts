/** The drill on real parts: the real agent program, tmux and engine, against the stand-in API. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AccountRow } from '../../policy/account/accountRow.js'
import type { DrillReport } from '../../policy/independence/drill.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'

let fleet: Fleet

beforeAll(async () => {
  const key = { ANTHROPIC_API_KEY: { fromEnv: 'KEY_OF_SPARE' } }
  fleet = await startFleet({
    ...{ accounts: ['max-1', 'max-2'], reserved: ['medic'] },
    config: { substrates: [{ name: 'spare', model: 'claude-haiku-4-5', env: key }] },
  })
  fleet.env['KEY_OF_SPARE'] = fleet.world.standIn.account('spare').apiKey
  for (const name of ['max-1', 'max-2'])
    fleet.world.standIn.account(name).windows({
      five_hour: { used: 0.2, resetsAt: new Date(Date.now() + 4 * 3_600_000) },
      seven_day: { used: 0.2, resetsAt: new Date(Date.now() + 90 * 3_600_000) },
    })
  await fleet.up()
  await fleet.untilRead()
})
afterAll(() => fleet.close())

const declared = async (): Promise<unknown[]> =>
  (await fleet.json<AccountRow[]>('accounts')).flatMap((row) => row.declared ?? [])

describe('outpool drill', () => {
  it('law 2: its session survives a pool that is declared spent for it alone, and leaves nothing behind', async () => {
    await fleet.run('start', 'other', '--cwd', fleet.world.cwd, '--account', 'max-1', '--', 'Hello')
    await fleet.untilSession('other', ({ phase }) => phase === 'idle')
    // Its session answers on the fallback only once the declaration was seen, which would be over too soon.
    let answerThere = (): void => undefined
    const seen = new Promise<void>((resolve) => (answerThere = resolve))
    fleet.world.standIn.account('spare').answer(async ({ turn }) => {
      await seen
      return `Answer ${turn} of this conversation.`
    })
    const drill = fleet.json<DrillReport>('drill')
    const walls = await until('the declaration', declared, (found) => found.length > 0)
    answerThere()
    const report = await drill
    expect(report.steps.map(({ name, ok }) => [name, ok])).toEqual([
      ['is apart from the pool', true],
      ['comes up and answers', true],
      ['falls back', true],
      ['answers there', true],
      ['fails back', true],
    ])
    expect(report).toMatchObject({ ok: true, why: null, id: expect.stringMatching(/^drill\/2/) as string })
    expect(walls).toContainEqual({ session: report.session, until: expect.any(String) as string })

    // No other session was touched, and nothing is left.
    expect(await fleet.show('other')).toMatchObject({ account: 'max-1', rescueLog: [], attention: null })
    expect(await declared()).toEqual([])
    expect((await fleet.show(report.session)).phase).toBe('stopped')
    const turns = fleet.world.standIn.requests({ kind: 'turn' })
    expect(turns.filter(({ account }) => account === 'medic')).toEqual([])
    expect(turns.some(({ account, outcome }) => account === 'spare' && outcome === 'answered')).toBe(true)
    const folder = join(fleet.dir, 'state', 'drills')
    const [file] = readdirSync(folder).filter((name) => name.endsWith('.json'))
    expect(JSON.parse(readFileSync(join(folder, file!), 'utf8'))).toEqual(report)

    const events = fleet.events()
    expect(events.filter(({ kind }) => kind === 'drill-ended')).toMatchObject([
      {
        drill: report.id,
        ok: true,
        why: null,
        steps: report.steps.map(({ name }) => ({ name, failed: false })),
      },
    ])
    const read = events.filter((event) => event.kind === 'account-read')
    expect(read.find(({ account }) => account === 'max-1')?.windows).toContainEqual(
      expect.objectContaining({ name: 'five_hour', used: 0.2 }),
    )
  })

  it('says beforehand what it would do', async () => {
    const { code, stdout } = await fleet.run('drill', '--dry-run')
    expect(code).toBe(0)
    expect(stdout).toMatch(/For this session only, max-1, max-2 would count as walled, for at most 15 min\./)
    expect(await fleet.json('drill', '--dry-run')).toMatchObject({
      declaredWalled: ['max-1', 'max-2'],
      fallbacks: ['spare'],
    })
  })
})
