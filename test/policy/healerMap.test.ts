import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { readGuide, withPicture } from '../../docs/pictures/domains.js'
import { type FailureDomain, emptyDomain } from '../../policy/independence/failureDomains.js'
import { type Cell, type Setup, healerMap } from '../../policy/independence/healerMap.js'
import { pictureOf } from '../../worker/doctor/domainPicture.js'
import { tableOf } from '../../worker/doctor/domainTable.js'

const key = { variable: 'ANTHROPIC_API_KEY', fingerprint: '0123abcd', login: true }

function setup(overrides: Partial<Setup> = {}): Setup {
  return {
    ...{ host: 'desk', home: '/state', agents: { 'claude-code': 'claude' } },
    engine: { what: 'embedded', database: '/state/temporal.db', isHere: true, isEmbedded: true },
    healer: [emptyDomain('medic', 'reserved account')],
    pool: [emptyDomain('max-1', 'pool account'), emptyDomain('haiku', 'substrate')],
    ...overrides,
  }
}

const cellOf = (setup: Setup, need: string, failure: string): Cell | undefined =>
  healerMap(setup).cells.find((cell) => cell.need === need && cell.failure === failure)

describe('law 1 as a table', () => {
  it('law 1: nothing that the healer needs shares a failure domain with a spent account', () => {
    const { needs, cells } = healerMap(setup())
    expect(needs.length).toBeGreaterThan(8)
    expect(cells.filter(({ failure }) => failure === 'account').map(({ verdict }) => verdict)).toEqual(
      needs.map(() => 'apart'),
    )
  })

  it.each<[string, Partial<FailureDomain>, string]>([
    ['a key of an account', { keys: [key] }, 'account'],
    ['a login of an account', { identity: 'x' }, 'account'],
  ])('law 1: %s is refused, and both sides are named', (_what, same, failure) => {
    const both = setup({
      healer: [{ ...emptyDomain('medic', 'reserved account'), ...same }],
      pool: [{ ...emptyDomain('max-1', 'pool account'), ...same }],
    })
    expect(cellOf(both, 'reserved account medic', failure)).toMatchObject({
      ...{
        verdict: 'refused',
        shares: ['account max-1'],
        why: expect.stringMatching(/^an account/) as string,
      },
    })
  })

  it('law 2: a substrate on the key of an account would be spent with it', () => {
    const pool = [
      { ...emptyDomain('max-1', 'pool account'), keys: [key] },
      { ...emptyDomain('haiku', 'substrate'), keys: [key] },
    ]
    expect(cellOf(setup({ pool }), 'substrate haiku', 'account')?.verdict).toBe('refused')
    expect(cellOf(setup(), 'substrate haiku', 'substrate')).toMatchObject({ verdict: 'accepted' })
  })

  it('one gateway is accepted; an engine elsewhere is separate from this host', () => {
    const gateway = 'https://gate.example.com'
    const through = setup({
      healer: [{ ...emptyDomain('medic', 'reserved account'), gateway }],
      pool: [{ ...emptyDomain('max-1', 'pool account'), gateway }],
      engine: { what: 'yours', database: 'there', isHere: false, isEmbedded: false },
    })
    expect(cellOf(through, 'reserved account medic', 'account')).toMatchObject({
      ...{ verdict: 'accepted', shares: [`gateway ${gateway}`] },
    })
    expect(cellOf(through, 'engine', 'host')?.verdict).toBe('apart')
    expect(cellOf(through, 'worker', 'host')?.verdict).toBe('accepted')
  })

  it('law 11: neither the table nor the picture holds a fingerprint, and both show what is refused', () => {
    const map = healerMap(
      setup({
        healer: [{ ...emptyDomain('medic', 'reserved account'), keys: [key] }],
        pool: [{ ...emptyDomain('max-1', 'pool account'), keys: [key] }],
      }),
    )
    for (const shown of [tableOf(map, pc.createColors(false)), pictureOf(map), JSON.stringify(map.cells)]) {
      expect(shown).not.toContain('0123abcd')
      expect(shown).toContain('refused')
    }
  })

  it('the picture in the guide is up to date (npx tsx docs/pictures/domains.ts)', () => {
    expect(withPicture(readGuide())).toBe(readGuide())
  })
})
