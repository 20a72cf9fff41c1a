/** The benchmarks run and report their figures; how fast anything was is not tested. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { z } from 'zod'

const run = fileURLToPath(new URL('../../bench/run.ts', import.meta.url))
const reportSchema = z.array(
  z.object({
    name: z.string(),
    rows: z.array(z.object({ product: z.array(z.number()), floor: z.array(z.number()) })),
  }),
)

it('measures a rescue, the reports and a small herd, each beside its floor', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outpool-bench-test-'))
  try {
    const json = join(folder, 'figures.json')
    const measures = ['rescue', 'reports', 'herd']
    const sizes = ['--runs', '1', '--sessions', '6']
    const args = ['--import', 'tsx', run, ...measures, ...sizes, '--json', json]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const results = reportSchema.parse(JSON.parse(readFileSync(json, 'utf8')))
    expect(results.map(({ name }) => name)).toEqual(measures)
    for (const { rows } of results) {
      const [first] = rows
      expect(first?.floor.length).toBe(first?.product.length)
      for (const ms of [...(first?.product ?? []), ...(first?.floor ?? [])]) expect(ms).toBeGreaterThan(0)
    }
    expect(stdout).toContain('| what |')
    // Law 3 and the limits hold in a herd of any size.
    const [, doubles, aboveLimit] = results[2]?.rows ?? []
    expect([doubles?.product, aboveLimit?.product]).toEqual([[0], [0]])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 600_000)
