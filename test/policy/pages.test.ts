/**
 * Pages that the agent program opens at its start: which sessions may still be sent there, which wait, and
 * until when.
 */
import { describe, expect, it } from 'vitest'
import type { HostPages, OpenPage } from '../../policy/account/account.js'
import { accountRow } from '../../policy/account/accountRow.js'
import { configure, decide, recordReadings, type PoolState } from '../../policy/pool/transitions.js'
import { poolView } from '../../policy/pool/poolView.js'
import {
  at,
  grantedTo,
  leaseRequest,
  poolState,
  reading,
  recordWall,
  requestAndDecide,
  settings,
  spec,
  usedAccount,
  wall,
  withReadings,
} from './builders.js'

const page = (overrides: Partial<OpenPage> = {}): OpenPage => ({
  cwd: '/work',
  what: '"Allow it?"',
  remedy: 'answer it once',
  at: at(0),
  until: at(30),
  ...overrides,
})
const pages = (open: OpenPage[], minutes = 0, host = 'here'): HostPages => ({
  host,
  at: at(minutes),
  open,
})
const withPages = (before: PoolState, name: string, ...open: OpenPage[]): PoolState =>
  withReadings(before, reading(name, { pages: pages(open) }))

const both = (): PoolState =>
  withReadings(poolState(spec('a'), spec('b')), usedAccount('a', 0.1), usedAccount('b', 0.5))
const request = leaseRequest('s', { cwd: '/work' })

describe('law 4: never onto an account that opens a page', () => {
  it('another able account is used, and sessions that asked for this one learn why', () => {
    const decision = requestAndDecide(withPages(both(), 'a', page()), { ...request, prefer: 'a' })
    expect(grantedTo(decision)).toEqual({ s: 'b' })
    expect(decision.grants[0]?.grant.why).toContain('a opens "Allow it?": answer it once')
  })

  it("a project's page keeps only its project away, an account's page keeps every session away, and neither affects another host", () => {
    const before = withPages(both(), 'a', page())
    expect(grantedTo(requestAndDecide(before, leaseRequest('t', { cwd: '/other' })))).toEqual({ t: 'a' })
    expect(grantedTo(requestAndDecide(before, leaseRequest('t', { cwd: '/work', host: 'there' })))).toEqual({
      t: 'a',
    })
    const all = withPages(both(), 'a', page({ cwd: null }))
    expect(grantedTo(requestAndDecide(all, leaseRequest('t', { cwd: '/other' })))).toEqual({ t: 'b' })
  })

  it('if every account opens a page, the session learns which and what to do, no substrate is used, and each account is retried', () => {
    const withKey = configure(
      both(),
      settings([
        spec('a'),
        spec('b'),
        spec('key', { role: 'substrate', runs: { agent: 'claude-code', model: null } }),
      ]),
    )
    const before = withPages(withPages(withKey, 'a', page()), 'b', page({ until: at(20) }))
    const decision = requestAndDecide(before, { ...request, cause: 'crash' })
    expect(decision.grants).toEqual([])
    const [{ denial } = { denial: null }] = decision.denials
    expect(denial?.pages).toBe('a opens "Allow it?": answer it once; b opens "Allow it?": answer it once')
    expect(denial?.retryAt).toBe(at(20))
    expect(
      grantedTo(decide(recordReadings(decision.state, [usedAccount('b', 0.5, 20)], at(20)), at(20.1))),
    ).toEqual({
      s: 'b',
    })
  })

  it('a wall beside a page is a reason to use a substrate, and the page is not what the session is told to wait for', () => {
    const withKey = configure(
      both(),
      settings([
        spec('a'),
        spec('b'),
        spec('key', { role: 'substrate', runs: { agent: 'claude-code', model: null } }),
      ]),
    )
    const before = recordWall(withPages(withKey, 'a', page()), 'b', wall(), at(0))
    expect(grantedTo(requestAndDecide(before, { ...request, cause: 'wall' }))).toEqual({ s: 'key' })
    const without = recordWall(withPages(both(), 'a', page()), 'b', wall(), at(0))
    expect(requestAndDecide(without, { ...request, cause: 'wall' }).denials[0]?.denial.pages).toBeNull()
  })

  it('a first start may still be sent there, for a person to answer', () => {
    const before = withPages(withPages(both(), 'a', page()), 'b', page())
    expect(grantedTo(requestAndDecide(before, { ...request, allowOpenPage: true }))).toEqual({ s: 'a' })
  })
})

it('law 10: once its host saw the page answered, no session waits for it, and an older report does not bring it back', () => {
  const waiting = requestAndDecide(withPages(withPages(both(), 'a', page()), 'b', page()), {
    ...request,
    cause: 'crash',
  }).state
  const answered = recordReadings(waiting, [reading('b', { pages: pages([], 5) })], at(5))
  const late = recordReadings(answered, [reading('b', { pages: pages([page()], 1) })], at(5))
  expect(grantedTo(decide(late, at(5)))).toEqual({ s: 'b' })
})

it('an account with an open page says so, and stays ready for the rest', () => {
  const [facts] = poolView(withPages(both(), 'a', page())).accounts
  expect(accountRow(facts!, 0.95, at(1))).toMatchObject({ state: 'ready', pages: [page()] })
  expect(accountRow(facts!, 0.95, at(31)).pages).toEqual([])
})
