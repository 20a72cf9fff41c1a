import { describe, expect, it } from 'vitest'
import { StartLimiter } from '../../host/limits/startLimiter.js'

const never = new AbortController().signal
const silently = (): void => undefined

/** Enters until one has to wait; returns those that are inside. */
async function fill(limiter: StartLimiter): Promise<((ms: number | null) => void)[]> {
  const inside: ((ms: number | null) => void)[] = []
  for (;;) {
    const stop = new AbortController()
    const entered = await limiter.acquire(stop.signal, () => stop.abort()).catch(() => null)
    if (entered === null) return inside
    inside.push(entered)
  }
}

describe('starts of agents', () => {
  it('are admitted in the order in which they came, one for each that is up', async () => {
    const limiter = new StartLimiter()
    const inside = await fill(limiter)
    expect(inside.length).toBeGreaterThan(0)
    const order: number[] = []
    const waiting = [1, 2, 3].map((n) =>
      limiter.acquire(never, silently).then((release) => (order.push(n), release)),
    )
    inside[0]?.(null)
    const first = await waiting[0]
    expect(order).toEqual([1])
    first?.(null)
    ;(await waiting[1])?.(null)
    await waiting[2]
    expect(order).toEqual([1, 2, 3])
  })

  it('that are given up while they wait use no place', async () => {
    const limiter = new StartLimiter()
    const inside = await fill(limiter)
    const stop = new AbortController()
    const place = limiter.acquire(stop.signal, silently)
    const patient = limiter.acquire(never, silently)
    stop.abort()
    await expect(place).rejects.toThrow()
    inside[0]?.(null)
    ;(await patient)(null)
  })

  it('say how many are ahead', async () => {
    const limiter = new StartLimiter()
    const inside = await fill(limiter)
    const reported: number[] = []
    const waits = limiter.acquire(never, (starting) => reported.push(starting))
    inside[0]?.(null)
    await waits
    expect(reported).toEqual([inside.length])
  })
})
