/** The benchmarks run and tell their figures; how fast anything was is not a test's business. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { z } from 'zod'

const run = fileURLToPath(new URL('../../bench/run.ts', import.meta.url))
const reportSchema = z.object({
  results: z.array(z.object({ name: z.string(), product: z.array(z.number()), floor: z.array(z.number()) })),
})

it('measures a rescue and the reports, each beside its floor', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outpool-bench-test-'))
  try {
    const json = join(folder, 'figures.json')
    const args = ['--import', 'tsx', run, 'rescue', 'reports', '--runs', '1', '--json', json]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { results } = reportSchema.parse(JSON.parse(readFileSync(json, 'utf8')))
    expect(results.map(({ name }) => name)).toEqual(['rescue', 'reports', 'reports'])
    for (const { product, floor } of results) {
      expect(product.length).toBe(floor.length)
      for (const ms of [...product, ...floor]) expect(ms).toBeGreaterThan(0)
    }
    expect(stdout).toContain('| what |')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
