import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountRow, accountState } from '../../policy/account/accountRow.js'
import { backoff } from '../../policy/backoff.js'
import { crashResponse } from '../../policy/session/crashes.js'
import { toMs } from '../../policy/instants.js'
import { shouldMove } from '../../policy/session/plannedMove.js'
import { defaultTiming, type AccountFacts, withDefaults } from '../../policy/account/account.js'
import {
  decide,
  newPoolState,
  probeEnded,
  probeStarted,
  releaseLease,
  requestLease,
  recordReadings,
} from '../../policy/pool/transitions.js'
import { continuationPrompt, type ResumeContext } from '../../workflows/session/continuationPrompt.js'
import {
  at,
  leaseRequest,
  reading,
  recordLogin,
  recordWall,
  settings,
  spec,
  usedAccount,
  wall,
  window,
} from './builders.js'

describe('crashes and restarts', () => {
  it('law 6: a crashed agent is resumed at once, then with growing delays, then rests until a stated time', () => {
    const after = (count: number) =>
      crashResponse(
        's',
        Array.from({ length: count }, () => at(0)),
        at(1),
        defaultTiming,
      )
    expect(after(1)).toEqual({ kind: 'restart', afterMs: 0 })
    const [second, fifth, sixth] = [after(2), after(5), after(6)]
    expect(
      second.kind === 'restart' &&
        fifth.kind === 'restart' &&
        fifth.afterMs > second.afterMs &&
        second.afterMs > 0,
    ).toBe(true)
    expect(sixth.kind === 'rest' && toMs(sixth.until) > toMs(at(1))).toBe(true)
    expect(crashResponse('s', [at(-61), at(0)], at(0), defaultTiming)).toEqual({
      kind: 'restart',
      afterMs: 0,
    })
  })
  it('law 6: the configuration sets when a crashing agent rests', () => {
    const timing = { ...defaultTiming, crashLimit: 2, crashWithin: 10 * 60_000, failureBackoffMax: 90_000 }
    const crashes = [at(0), at(5), at(9)]
    expect(crashResponse('s', crashes, at(9), { ...timing, crashWithin: 5 * 60_000 }).kind).toBe('restart')
    const rests = crashResponse('s', crashes, at(9), timing)
    expect(rests.kind === 'rest' && toMs(rests.until) - toMs(at(9))).toBeLessThanOrEqual(90_000)
  })
  it('state from an older version gets every missing key', () => {
    const { probeEvery, wakeMargin, retryEvery, stopGrace, startWithin, hungAfter, keysQuiet } = defaultTiming
    const old = { probeEvery, wakeMargin, retryEvery, stopGrace, startWithin, hungAfter, keysQuiet }
    const older = newPoolState({ ...settings([spec('a')]), timing: old as typeof defaultTiming })
    expect(older.settings.timing).toEqual(defaultTiming)
    expect(withDefaults({ retryEvery: 5 })).toEqual({ ...defaultTiming, retryEvery: 5 })
  })
  it('a delay grows, stays below its cap, and is the same each time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.string(), (attempt, seed) => {
        const wait = backoff(attempt, { base: 100, cap: 5_000 }, seed)
        expect(wait).toBeLessThanOrEqual(5_000)
        expect(wait).toBeGreaterThanOrEqual(80)
        expect(backoff(attempt, { base: 100, cap: 5_000 }, seed)).toBe(wait)
      }),
    )
  })
  it('what a resumed session is told about its past is true', () => {
    const resumeText = (situation: ResumeContext['situation'], isElsewhere: boolean): string =>
      continuationPrompt({ situation, turn: 'cut-off', on: 'account', isElsewhere }) ?? ''
    expect(resumeText('pause', false)).toMatch(/^This session was paused, and goes on now\./)
    for (const situation of ['pause', 'wake', 'start', 'crash', 'move', 'login'] as const)
      expect(resumeText(situation, false)).not.toMatch(/limit|another account/)
    expect(resumeText('wall', false)).not.toContain('another account')
    expect(resumeText('login', true)).toContain('another account')
  })
  it('an idle session is told nothing; an interrupted one is told to go on and repeat nothing', () => {
    expect(
      continuationPrompt({ situation: 'near-limit', turn: 'idle', on: 'account', isElsewhere: true }),
    ).toBeNull()
    expect(
      continuationPrompt({ ...{ situation: 'wall', turn: 'cut-off' }, on: 'account', isElsewhere: true }),
    ).toMatch(/Continue .* do not repeat work that is already complete/)
    expect(
      continuationPrompt({ ...{ situation: 'crash', turn: 'cut-off' }, on: 'account', isElsewhere: true }),
    ).toMatch(/check what took effect/)
  })
})

describe('moving before the wall', () => {
  const stay = { model: 'sonnet', moveThreshold: 0.95, stayUntil: null, wakeMargin: 10_000 }
  it('happens from moveAt on, not below it, and not while the session was told to stay', () => {
    expect(shouldMove(usedAccount('a', 0.94), stay, at(0))).toBeNull()
    expect(shouldMove(usedAccount('a', 0.95), stay, at(0))?.cause).toBe('near-limit')
    expect(shouldMove(usedAccount('a', 0.95), { ...stay, stayUntil: at(5) }, at(0))).toBeNull()
  })
  it('law 6: happens if others found the account walled, unless the wall is of another model', () => {
    expect(shouldMove(reading('a', { walls: [wall()] }), stay, at(1))?.wall?.kind).toBe('five_hour')
    const opus = wall({ kind: 'seven_day_opus', scope: 'model:opus' })
    expect(shouldMove(reading('a', { walls: [opus] }), stay, at(1))).toBeNull()
    expect(shouldMove(reading('a', { walls: [opus] }), { ...stay, model: 'opus' }, at(1))).not.toBeNull()
  })
})

describe('the state of an account as users see it', () => {
  const facts = (overrides: Partial<AccountFacts>): AccountFacts => ({
    ...spec('a'),
    windows: [window()],
    walls: [],
    login: 'in',
    loginAt: at(0),
    identity: 'x',
    probedAt: null,
    leases: [],
    trial: null,
    restUntil: null,
    ...overrides,
  })
  it.each<[string, Partial<AccountFacts>]>([
    ['ready', {}],
    ['near-limit', { windows: [window({ used: 0.96 })] }],
    ['walled', { walls: [wall()] }],
    ['unproven', { windows: [] }],
    ['unproven', { windows: [window({ resetsAt: at(-5), readAt: at(-60) })] }],
    ['logged-out', { login: 'out' }],
    ['disabled', { maxSessions: 0 }],
    ['duplicate', { name: 'z' }],
  ])('is %s', (state, overrides) => {
    expect(
      accountState(
        facts(overrides),
        0.95,
        at(1),
        [facts({}), facts(overrides)].slice(0, state === 'duplicate' ? 2 : 1),
      ),
    ).toBe(state)
  })
  it("a model's wall is shown at its window, and the account stays ready for the rest", () => {
    const opus = wall({ kind: 'seven_day_opus', scope: 'model:opus' })
    const row = accountRow(facts({ walls: [opus] }), 0.95, at(1))
    expect(row).toMatchObject({ state: 'ready', walledUntil: null })
    expect(row.windows.map(({ name, walled }) => [name, walled])).toEqual([
      ['five_hour', false],
      ['seven_day_opus', true],
    ])
  })
})

describe('instants', () => {
  it('are parsed as the platform parses them', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1970-01-01'), max: new Date('2399-12-31'), noInvalidDate: true }),
        (date) => {
          expect(toMs(date.toISOString())).toBe(date.getTime())
        },
      ),
    )
    expect(toMs('2026-11-22T21:50:00Z')).toBe(Date.parse('2026-11-22T21:50:00Z'))
  })
})

describe('any sequence of pool events', () => {
  const names = fc.constantFrom('a', 'b', 'c')
  const sessions = fc.constantFrom('s', 't', 'u', 'v')
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('ask' as const),
      session: sessions,
      cause: fc.constantFrom('wall', 'near-limit', 'move', 'home'),
      prefer: fc.option(names),
      pinned: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('wall' as const),
      account: names,
      resets: fc.option(fc.integer({ min: -10, max: 300 })),
    }),
    fc.record({ kind: fc.constant('read' as const), account: names, used: fc.integer({ min: 0, max: 100 }) }),
    fc.record({ kind: fc.constant('probe' as const), account: names, says: fc.boolean() }),
    fc.record({
      kind: fc.constant('release' as const),
      session: sessions,
      fence: fc.integer({ min: 1, max: 20 }),
      fault: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('login' as const),
      account: names,
      login: fc.constantFrom('in' as const, 'out' as const),
    }),
  )
  it('laws 3, 4, 7, 10: keeps one lease per session, growing fences, limits, waits that end in the future, and plain data', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.integer({ min: 0, max: 40 })), { maxLength: 60 }), (steps) => {
        let state = newPoolState(
          settings([spec('a', { maxSessions: 1 }), spec('b', { ceiling: 0.7 }), spec('c')]),
        )
        let minutes = 0
        let fence = 0
        steps.forEach(([one, pause], n) => {
          minutes += pause
          const now = at(minutes)
          if (one.kind === 'ask')
            state = requestLease(
              state,
              leaseRequest(one.session, {
                requestId: `${n}`,
                cause: one.cause as 'wall',
                prefer: one.prefer,
                pinned: one.pinned,
                at: now,
              }),
              now,
            )
          if (one.kind === 'wall')
            state = recordWall(
              state,
              one.account,
              wall({ at: now, resetsAt: one.resets === null ? null : at(minutes + one.resets) }),
              now,
            )
          if (one.kind === 'read')
            state = recordReadings(state, [usedAccount(one.account, one.used / 100, minutes)], now)
          if (one.kind === 'probe')
            state = probeEnded(
              probeStarted(state, one.account, now),
              one.account,
              one.says ? usedAccount(one.account, 0.3, minutes) : null,
              now,
            )
          if (one.kind === 'release')
            state = releaseLease(
              state,
              { session: one.session, fence: one.fence, failure: one.fault ? 'x' : null },
              now,
            )
          if (one.kind === 'login') state = recordLogin(state, one.account, one.login, now, now)
          const decision = decide(state, now)
          expect(decide(JSON.parse(JSON.stringify(state)) as typeof state, now)).toEqual(decision)
          for (const { grant } of decision.grants) {
            expect(grant.fence).toBeGreaterThan(fence)
            fence = grant.fence
          }
          for (const { denial } of decision.denials) expect(toMs(denial.retryAt)).toBeGreaterThan(toMs(now))
          state = decision.state
          const held = state.accounts.flatMap(({ leases }) => leases.map(({ session }) => session))
          expect(new Set(held).size).toBe(held.length)
          expect(state.accounts[0]!.leases.length).toBeLessThanOrEqual(1)
          if (state.waitlist.length > 0) expect(decision.nextDecisionAt ?? decision.probes[0]).toBeDefined()
          if (state.waitlist.length > 0) expect(decision.nextDecisionAt).not.toBeNull()
          // Deciding again at the same instant changes nothing.
          const again = decide(state, now)
          expect([again.grants, again.denials]).toEqual([[], []])
        })
      }),
      { numRuns: 200 },
    )
  })
})
