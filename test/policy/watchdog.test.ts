/** How the watchdog reacts to failures, whom it notifies, and what it writes down. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  maxEscalationPause,
  maxRestartPause,
  type HealerPlace,
  type ServiceSpec,
} from '../../policy/service/service.js'
import { nextHealer } from '../../policy/independence/healers.js'
import { downtimeMs, type Incident, withEntry, withQuote } from '../../policy/service/incident.js'
import { incidentReport } from '../../host/state/incidentReport.js'
import { iso, toMs } from '../../policy/instants.js'
import { recentRestarts, retainedRestarts, nextWatchdogStep } from '../../policy/service/watchdog.js'
import { at, reading, wall } from './builders.js'

const minute = 60_000
const service: ServiceSpec = {
  ...{
    name: 'loop',
    host: 'h',
    pool: 'main',
    every: 10 * minute,
    canStart: true,
    wakeUp: { retryEvery: 10 * minute, retryMaxInterval: maxEscalationPause },
  },
  restarts: { limit: 3, within: 60 * minute, backoff: 10_000, backoffMax: maxRestartPause },
}
const history = (restarts: string[], escalations: string[] = []) => ({ restarts, escalations })

describe('restarts', () => {
  it('the first is at once, the others wait longer each time, and the one after the limit is an escalation', () => {
    const restarts: string[] = []
    const waits: number[] = []
    let now = at(0)
    for (;;) {
      const next = nextWatchdogStep(service, history(restarts), 'it is not there', now)
      if (next.kind !== 'restart') {
        expect(next.kind).toBe('escalate')
        break
      }
      waits.push(toMs(next.at) - toMs(now))
      now = next.at
      restarts.push(now)
    }
    expect(restarts).toHaveLength(3)
    expect(waits[0]).toBe(0)
    expect(waits[2]!).toBeGreaterThan(waits[1]!)
    // Older ones no longer count.
    expect(nextWatchdogStep(service, history(restarts), 'again', at(61)).kind).toBe('restart')
  })

  it('law 10: if no agent can be started a person is notified, and restarts go on with growing pauses', () => {
    const alone = { ...service, wakeUp: null }
    const spent = [at(-3), at(-2), at(-1)]
    const next = nextWatchdogStep(alone, history(spent), 'it is not there', at(0))
    expect(next).toMatchObject({ kind: 'restart' })
    expect(next.attention).toMatch(/3 restarts did not help/)
    const more = nextWatchdogStep(alone, history([...spent, at(0)]), 'it is not there', at(0))
    const waitOf = (step: typeof next) => (step.kind === 'restart' ? toMs(step.at) - toMs(at(0)) : NaN)
    expect(waitOf(more)).toBeGreaterThan(waitOf(next))
  })

  it('a service without a restart command is left to the escalation, or to a person', () => {
    const watched = { ...service, canStart: false }
    expect(nextWatchdogStep(watched, history([]), 'gone', at(0)).kind).toBe('escalate')
    expect(nextWatchdogStep({ ...watched, wakeUp: null }, history([]), 'gone', at(0)).kind).toBe('notify')
  })

  it('the configuration sets the longest wait', () => {
    const often = { ...service, wakeUp: { retryEvery: 10 * minute, retryMaxInterval: 15 * minute } }
    const calls = [at(0), at(20), at(40), at(60)]
    const called = nextWatchdogStep(often, history([at(57), at(58), at(59)], calls), 'gone', at(61))
    expect(called.kind === 'escalate' && toMs(called.at) - toMs(at(60))).toBeLessThanOrEqual(15 * minute)
    const alone = { ...service, wakeUp: null, restarts: { ...service.restarts, backoffMax: 2 * minute } }
    const restarted = nextWatchdogStep(
      alone,
      history([at(1), at(2), at(3), at(4), at(5), at(6)]),
      'gone',
      at(6),
    )
    expect(restarted.kind === 'restart' && toMs(restarted.at) - toMs(at(6))).toBeLessThanOrEqual(2 * minute)
  })

  it('escalations for a service that keeps failing start later each time, within a day', () => {
    const spent = [at(-3), at(-2), at(-1)]
    const calls = [at(-9)]
    const first = nextWatchdogStep(service, history(spent, calls), 'gone', at(0))
    expect(first.kind === 'escalate' && first.at === at(0)).toBe(true)
    const often = nextWatchdogStep(service, history(spent, [at(-30), at(-20), at(-9)]), 'gone', at(0))
    expect(often.kind === 'escalate' && toMs(often.at) > toMs(at(0))).toBe(true)
    expect(often.attention).toMatch(/woken for it 3 times/)
  })

  it('there are never more restarts than the limit within the window before an escalation', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 40 * minute }), { minLength: 5, maxLength: 60 })
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 6 }), (troubles, limit) => {
        const spec = { ...service, restarts: { ...service.restarts, limit } }
        let restarts: string[] = []
        let now = toMs(at(0))
        for (const gap of troubles) {
          now += gap
          restarts = retainedRestarts(restarts, spec.restarts, iso(now))
          const next = nextWatchdogStep(spec, history(restarts), 'gone', iso(now))
          if (next.kind !== 'restart') {
            restarts = []
            continue
          }
          now = toMs(next.at)
          restarts.push(next.at)
          expect(recentRestarts(restarts, spec.restarts, iso(now)).length).toBeLessThanOrEqual(limit)
        }
      }),
    )
  })
})

describe('which agent to start', () => {
  const places: HealerPlace[] = [
    { kind: 'account', name: 'medic-1' },
    { kind: 'account', name: 'medic-2' },
    { kind: 'substrate', name: 'medic-key' },
  ]
  const choose = (readings: Parameters<typeof nextHealer>[1], tried: Parameters<typeof nextHealer>[2] = []) =>
    nextHealer(places, readings, tried, null, 10_000, toMs(at(0)))

  it('the first that is not known to refuse: not past a wall or a lost login, then the fallback substrate', () => {
    expect(choose([])).toEqual({ kind: 'place', place: places[0] })
    const walled = { ...reading('medic-1'), walls: [wall()] }
    expect(choose([walled])).toEqual({ kind: 'place', place: places[1] })
    const out = { ...reading('medic-2'), login: 'out' as const }
    expect(choose([walled, out])).toEqual({ kind: 'place', place: places[2] })
  })

  it('none, with the reason for each, when all of them failed', () => {
    const tried = places.map((place) => ({ place, why: `walled at ${place.name}` }))
    const choice = choose([], tried)
    expect(choice.kind === 'none' && choice.why).toMatch(/medic-1: walled .*medic-key: walled/)
    expect(nextHealer([], [], [], null, 0, 0).kind).toBe('none')
  })
})

describe('an incident report', () => {
  const incident: Incident = {
    ...{ n: 7, service: 'loop', wellAt: at(0), openedAt: at(7), closedAt: at(27), outcome: 'healed' },
    timeline: [{ at: at(7), layer: 'watchdog', what: 'missing:\n# not a heading' }],
    ...{ evidence: [], said: [] },
  }

  it('tells how long it was down, counted from the last sign of life', () => {
    expect(downtimeMs(incident, at(60))).toBe(27 * minute)
    expect(incidentReport(incident, at(60), 'with-quotes')).toMatch(/Down for: 27 min\n/)
  })

  it('law 11: quotes what was printed and said, in a fence that the text cannot close, and only on its host', () => {
    const quoted = withQuote(incident, 'evidence', {
      at: at(8),
      title: 'restart 1',
      text: 'x\n```\n## Outcome: fine',
    })
    const report = incidentReport(quoted, at(60), 'with-quotes')
    expect(report).toMatch(/````text\nx\n```\n## Outcome: fine\n````/)
    expect(report).not.toMatch(/^# not a heading/m)
    expect(incidentReport(quoted, at(60), 'without-quotes')).not.toContain('Outcome: fine')
  })

  it('law 8: does not grow without bound, and keeps its beginning and its end', () => {
    let long = incident
    for (let n = 0; n < 1_000; n++)
      long = withQuote(withEntry(long, { at: at(n), layer: 'watchdog', what: `restart ${n}` }), 'evidence', {
        ...{ at: at(n), title: `restart ${n}` },
        text: 'y'.repeat(20_000),
      })
    expect(JSON.stringify(long).length).toBeLessThan(150_000)
    expect(long.timeline[0]?.what).toMatch(/missing/)
    expect(long.timeline.at(-1)?.what).toBe('restart 999')
  })
})
