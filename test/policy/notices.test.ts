import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toMs } from '../../policy/instants.js'
import type { HostReport, SessionNeed, SilentHost } from '../../policy/notices/hostReport.js'
import { livingHost, silentHostsOf, withReport } from '../../policy/notices/hostReport.js'
import type { NoticeBoard, NoticeKind, PoolConditions } from '../../policy/notices/notice.js'
import {
  announce,
  dueNotices,
  newBoard,
  nextReviewAt,
  updateBoard as updateBoardWith,
  recordDelivery,
} from '../../policy/notices/notices.js'
import { poolConditions } from '../../policy/notices/poolConditions.js'
import { recordReadings } from '../../policy/pool/transitions.js'
import {
  at,
  leaseRequest,
  poolState,
  recordLogin,
  recordWall,
  requestAndDecide,
  spec,
  usedAccount,
  wall,
} from './builders.js'
import { noticeTexts } from '../../workflows/pool/noticeTexts.js'

const settings = {
  channels: ['me', 'phone'],
  settleFor: 30_000,
  retryEvery: 60_000,
  retryMaxInterval: 20 * 60_000,
  giveUpAfter: 24 * 3_600_000,
}
const updateBoard = (board: NoticeBoard, conditions: PoolConditions, given: typeof settings, now: string) =>
  updateBoardWith(board, conditions, given, now, noticeTexts)
const quiet: PoolConditions = {
  ...{ pool: 'main', dry: null, waitlist: [], loggedOut: [], needs: [], silentHosts: [], drySpell: null },
}
const dry = { ...quiet, dry: 'a walled until 13:00, b walled until 14:00' }
const waiting = (count: number): PoolConditions['waitlist'] =>
  Array.from({ length: count }, (_, n) => ({
    session: `s${n}`,
    why: 'a walled until 13:00',
    retryAt: at(60),
  }))
const parked = (count: number): PoolConditions => ({ ...dry, waitlist: waiting(count) })

const need = (session: string, what: SessionNeed['need'], minutes: number): SessionNeed => ({
  ...{ session, need: what, since: at(minutes) },
})
const silentHost = (host: string, sessions = 2): SilentHost => ({ host, since: at(-1), sessions })

/** Gives the board one change after the other, a minute apart. Returns what a person was notified of. */
function toldOf(...news: PoolConditions[]): { kind: NoticeKind; title: string; text: string }[] {
  let board = newBoard
  news.forEach((change, minute) => (board = updateBoard(board, change, settings, at(minute))))
  return board.outbox.map(({ notice }) => notice)
}
const kindsOf = (...news: PoolConditions[]): NoticeKind[] => toldOf(...news).map(({ kind }) => kind)

describe('one notice per cause', () => {
  it('sends one notice for forty sessions parked together, and one when all are up again', () => {
    const sent = toldOf(
      quiet,
      parked(40),
      parked(40),
      parked(3),
      parked(40),
      { ...quiet, waitlist: waiting(1) },
      quiet,
      quiet,
      quiet,
    )
    expect(sent.map(({ kind }) => kind)).toEqual(['parked', 'up-again'])
    expect(sent[0]!.title).toBe('40 sessions of pool main waiting')
    expect(sent[0]!.text).toMatch(/^a walled until 13:00\.\nNext chance: 2026-11-22 13:00 UTC\./)
    expect(sent[0]!.text).toContain('s9 and 30 more')
  })

  it('sends none for what ends by itself, and treats a condition that returns as still open', () => {
    let board = updateBoard(newBoard, parked(2), settings, at(0))
    board = updateBoard(board, quiet, settings, at(0.2))
    expect(updateBoard(board, quiet, settings, at(10)).outbox).toEqual([])
    expect(kindsOf(parked(2), parked(2))).toEqual(['parked'])
    board = updateBoard(updateBoard(newBoard, parked(2), settings, at(0)), parked(2), settings, at(1))
    board = updateBoard(board, quiet, settings, at(2))
    board = updateBoard(board, parked(1), settings, at(2.1))
    expect(updateBoard(board, parked(1), settings, at(9)).outbox).toHaveLength(1)
  })

  it('reports a dry pool once, then sessions that begin to wait later, then one end for both', () => {
    expect(kindsOf(dry, dry, parked(2), parked(2), parked(2), quiet, quiet, quiet)).toEqual([
      'pool-dry',
      'parked',
      'up-again',
    ])
    expect(kindsOf(dry, dry, quiet, quiet)).toEqual(['pool-dry', 'up-again'])
  })

  it('says at the end if sessions went on while the pool is still dry, and says it once', () => {
    const sent = toldOf(parked(2), parked(2), dry, dry, dry, quiet, quiet, quiet)
    expect(sent.map(({ kind }) => kind)).toEqual(['parked', 'up-again'])
    expect(sent[1]!.text).toContain('still dry')
  })

  it('reports lost logins together with the sessions that wait for them, and not again when they are back', () => {
    const lost = { ...quiet, loggedOut: ['a', 'b'] }
    const sent = toldOf(lost, lost, lost, quiet, quiet)
    expect(sent.map(({ title }) => title)).toEqual(['2 accounts are logged out in pool main'])
    expect(sent[0]!.text).toContain('Log in again: a, b.')
    const both = { ...parked(1), loggedOut: ['b'] }
    expect(toldOf(both, both).map(({ kind, text }) => [kind, text.includes('Log in again: b')])).toEqual([
      ['parked', true],
    ])
    expect(
      kindsOf(lost, lost, { ...lost, loggedOut: ['a', 'b', 'c'] }, { ...lost, loggedOut: ['a', 'b', 'c'] }),
    ).toEqual(['logged-out', 'logged-out'])
  })

  it('law 11: names the kind of what a session needs, once for each time it does', () => {
    const asks = { ...quiet, needs: [need('docs', 'permission', 0)] }
    const again = { ...quiet, needs: [need('docs', 'question', 3)] }
    const sent = toldOf(asks, asks, asks, again, again)
    expect(sent.map(({ kind, title }) => [kind, title])).toEqual([
      ['needs-person', 'docs needs you'],
      ['needs-person', 'docs needs you'],
    ])
    expect(sent[0]!.text).toBe('docs asks for a permission: outpool show docs, then outpool answer')
    expect(sent[1]!.text).toMatch(/^docs asks a question/)
    expect(toldOf(asks, quiet, quiet)).toEqual([])
    const many = { ...quiet, needs: Array.from({ length: 12 }, (_, n) => need(`s${n}`, 'breaker', 0)) }
    expect(toldOf(many, many).map(({ title, text }) => [title, text.split('\n').at(-1)])).toEqual([
      ['12 sessions need you', 'and 2 more: outpool ls'],
    ])
  })

  it('law 14: reports a host that falls silent, and when it is heard of again', () => {
    const silent = { ...quiet, silentHosts: [silentHost('far')] }
    const sent = toldOf(silent, silent, silent, quiet, quiet)
    expect(sent.map(({ title }) => title)).toEqual(['host far is silent', 'far watched again'])
    expect(sent[0]!.text).toContain(
      'was last heard of at 2026-11-22 11:59 UTC; 2 sessions there are not watched',
    )
  })

  it('foretells a dry spell once, however the forecast moves, and the next one again', () => {
    const soon = (minutes: number) => ({
      ...quiet,
      drySpell: { dryAt: at(minutes), resetAt: at(minutes + 75) },
    })
    const first = soon(60)
    const board = [first, first, quiet, quiet, soon(55), soon(50), dry, quiet, quiet, quiet].reduce(
      (board, news, minute) => updateBoard(board, news, settings, at(minute)),
      newBoard,
    )
    const foretold = ({ outbox }: NoticeBoard) =>
      outbox.filter(({ notice: { kind } }) => kind === 'dry-ahead')
    expect(foretold(board).map(({ notice: { text } }) => text)).toEqual([
      'The pool runs dry at about 13:00 UTC; next reset 14:15 UTC. `outpool forecast` says what would help.',
    ])
    const later = [200, 201].reduce(
      (board, minute) => updateBoard(board, soon(300), settings, at(minute)),
      board,
    )
    expect(foretold(later)).toHaveLength(2)
  })

  it('sends an announcement once per key, also after the board was restarted', () => {
    const one = { key: 'drill/1', kind: 'drill' as const, title: 'the drill failed', text: 'why' }
    const board = announce(newBoard, one, settings, at(0))
    const again = announce(JSON.parse(JSON.stringify(board)) as NoticeBoard, one, settings, at(5))
    expect(again.outbox.map(({ notice }) => notice.id)).toEqual(['drill/1'])
    expect(announce(again, { ...one, key: 'drill/2' }, settings, at(6)).outbox).toHaveLength(2)
  })
})

describe('law 10: a notice that could not be sent', () => {
  const board = announce(newBoard, { key: 'k', kind: 'drill', title: 't', text: 'x' }, settings, at(0))

  it('is retried only on the channels that failed, later each time, and given up in the end', () => {
    expect(dueNotices(board, at(0)).map(({ pendingChannels }) => pendingChannels)).toEqual([['me', 'phone']])
    let next = recordDelivery(board, 'k', ['phone'], settings, at(0))
    const pauses: number[] = []
    let now = 0
    while (next.outbox.length > 0) {
      const [out] = next.outbox
      expect(out!.pendingChannels).toEqual(['phone'])
      pauses.push(toMs(out!.dueAt) - toMs(at(now)))
      expect(dueNotices(next, at(now))).toEqual([])
      now = (toMs(out!.dueAt) - toMs(at(0))) / 60_000
      expect(dueNotices(next, out!.dueAt)).toHaveLength(1)
      next = recordDelivery(next, 'k', ['phone'], settings, out!.dueAt)
    }
    expect(pauses[1]!).toBeGreaterThan(pauses[0]!)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(settings.retryMaxInterval)
    expect(now).toBeGreaterThanOrEqual(24 * 60)
    expect(now).toBeLessThan(25 * 60)
  })

  it('is done when all channels have it', () => {
    expect(recordDelivery(board, 'k', [], settings, at(0)).outbox).toEqual([])
    expect(recordDelivery(board, 'another', [], settings, at(0))).toEqual(board)
  })
})

describe('the state of the pool', () => {
  const two = poolState(spec('a'), spec('b'))
  const read = recordReadings(two, [usedAccount('a', 0.2), usedAccount('b', 0.2)], at(0))

  it('is dry when every account is spent, and not while one is merely full or unproven', () => {
    expect(poolConditions(read, [], at(1)).dry).toBeNull()
    const one = recordWall(read, 'a', wall(), at(1))
    expect(poolConditions(one, [], at(1)).dry).toBeNull()
    const both = recordLogin(one, 'b', 'out', at(1), at(1))
    expect(poolConditions(both, [], at(1))).toMatchObject({
      dry: 'a walled until 13:00, b logged out',
      loggedOut: ['b'],
    })
    const full = recordWall(poolState(spec('a'), spec('b', { maxSessions: 1 })), 'a', wall(), at(1))
    const held = requestAndDecide(
      recordReadings(full, [usedAccount('b', 0.2)], at(1)),
      leaseRequest('s'),
      1,
    ).state
    expect(poolConditions(held, [], at(1)).dry).toBeNull()
  })

  it('names the sessions that were told to wait', () => {
    const spent = recordWall(recordWall(read, 'a', wall(), at(1)), 'b', wall({ resetsAt: at(90) }), at(1))
    const news = poolConditions(requestAndDecide(spent, leaseRequest('s', { at: at(1) }), 1).state, [], at(1))
    expect(news.waitlist).toMatchObject([{ session: 's', why: 'a walled until 13:00, b walled until 13:30' }])
  })
})

describe('the reports of hosts', () => {
  const report = (host: string, change: Partial<HostReport> = {}): HostReport => ({
    ...{ host, sessions: [], loggedOut: [], silentHosts: null, drySpell: null, ...change },
  })
  const two = poolState(spec('a'), spec('b'))

  it('count until the host reports again; what keeps a session on the waitlist is said once', () => {
    const spent = recordWall(recordWall(two, 'a', wall(), at(1)), 'b', wall(), at(1))
    const waiting = requestAndDecide(spent, leaseRequest('parked', { at: at(1) }), 1).state
    const sessions = [need('docs', 'context', 0), need('parked', 'login', 0)]
    const reports = withReport([], report('here', { sessions, loggedOut: ['medic', 'a'] }))
    expect(poolConditions(waiting, reports, at(1))).toMatchObject({
      ...{ needs: [need('docs', 'context', 0)], loggedOut: ['medic'] },
    })
    expect(poolConditions(waiting, withReport(reports, report('here')), at(1)).needs).toEqual([])
  })

  it('a silent host is silent until a host that has listened says otherwise, or until it reports', () => {
    const one = withReport([], report('b', { silentHosts: [silentHost('far')] }))
    const silent = (reports: readonly HostReport[]) => silentHostsOf(reports).map(({ host }) => host)
    expect(silent(one)).toEqual(['far'])
    // A restarted worker has not listened for long enough yet.
    expect(silent(withReport(one, report('b')))).toEqual(['far'])
    expect(silent(withReport(one, report('c')))).toEqual(['far'])
    expect(silent(withReport(one, report('far')))).toEqual([])
    expect(silent(withReport(one, report('c', { silentHosts: [] })))).toEqual([])
    // What the pool has a host do, such as sending this very notice, goes to one that is heard of.
    expect(livingHost('far', one)).toBe('b')
    expect(livingHost('far', withReport(one, report('far')))).toBe('far')
    expect(livingHost('b', one)).toBe('b')
  })
})

it('any sequence of changes: sessions wait is never reported twice without an end between, every next check is in the future, and all is plain data', () => {
  const news = fc.record({
    ...{ pool: fc.constant('main'), dry: fc.option(fc.constant('all walled')) },
    waitlist: fc.nat({ max: 3 }).map(waiting),
    loggedOut: fc.subarray(['a', 'b']),
    needs: fc.subarray([need('s0', 'permission', 0), need('s1', 'context', 1)]),
    silentHosts: fc.subarray([silentHost('far')]),
    drySpell: fc.option(fc.constant({ dryAt: at(90), resetAt: at(120) })),
  })
  const steps = fc.array(fc.tuple(news, fc.integer({ min: 1, max: 60 })), { maxLength: 40 })
  fc.assert(
    fc.property(steps, (all) => {
      let [board, seconds] = [newBoard, 0]
      for (const [one, later] of all) {
        seconds += later
        board = JSON.parse(JSON.stringify(updateBoard(board, one, settings, at(seconds / 60)))) as NoticeBoard
        const next = nextReviewAt({ ...board, outbox: [] }, settings)
        if (next !== null) expect(toMs(next)).toBeGreaterThan(toMs(at(seconds / 60)))
      }
      const kinds = board.outbox.map(({ notice }) => notice.kind)
      const places = kinds.flatMap((kind, place) => (kind === 'parked' ? [place] : []))
      for (const [n, place] of places.entries())
        if (n > 0) expect(kinds.slice(places[n - 1], place)).toContain('up-again')
      if (all.every(([{ silentHosts }]) => silentHosts.length === 0)) expect(kinds[0]).not.toBe('up-again')
    }),
    { numRuns: 500 },
  )
})
