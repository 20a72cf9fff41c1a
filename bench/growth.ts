/** How the time of a herd grows with the fleet: a curve that bends upward is a finding. */
import type { Curve, Measure } from './harness.js'
import { emptySteps } from './emptySteps.js'
import { lastOf, openHerd, spread } from './herdRun.js'

const usualSizes = [10, 50, 100, 250, 500, 1000]

export const growth: Measure = {
  name: 'growth',
  description: 'herds of growing size, light agents',
  runs: 1,
  run: async ({ runs, sessions }) => {
    const product: Curve = { name: 'outpool, last one up', points: [] }
    const floor: Curve = { name: 'floor: two empty steps', points: [] }
    const facts: Record<string, string> = {}
    for (const size of sessions === null ? usualSizes : [sessions]) {
      const herd = await openHerd(size)
      try {
        for (let run = 0; run < runs; run++) {
          const { address, client } = herd.stub
          const empty = await emptySteps(address, client.options.namespace, size)
          const taken = await herd.run({ withLs: false })
          const last = Math.max(...empty)
          floor.points.push([size, last / 1000])
          product.points.push([size, lastOf(taken) / 1000])
          const { worker, engine, tmux } = taken.cpu
          const memory = herd.stub.usage()
          facts[`${size} sessions`] =
            `${spread(taken.up)}; floor ${(last / 1000).toFixed(1)} s, ${(lastOf(taken) / last).toFixed(2)} ×; ` +
            `CPU per rescue: worker ${worker.toFixed(0)} ms, engine ${engine.toFixed(0)} ms, tmux ${tmux.toFixed(0)} ms; ` +
            `memory: worker ${memory.worker.rss.toFixed(0)} MB, engine ${memory.engine.rss.toFixed(0)} MB`
          console.error(`  ${size}: ${facts[`${size} sessions`] ?? ''}`)
        }
      } finally {
        await herd.close()
      }
    }
    const title = 'wall → last one running'
    return {
      ...(sessions === null ? {} : { sessions }),
      rows: [],
      facts,
      chart: { name: 'growth', title, x: 'sessions', y: 'seconds', curves: [product, floor] },
    }
  },
}
