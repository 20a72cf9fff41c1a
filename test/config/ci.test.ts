/** What CI is told: its workflows name commands and versions that exist. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import { z } from 'zod'

const root = new URL('../../', import.meta.url)
const folder = new URL('.github/workflows/', root)
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')))

const workflowSchema = z.object({
  name: z.string(),
  on: z.record(z.string(), z.unknown()),
  permissions: z.record(z.string(), z.enum(['read', 'none'])),
  jobs: z.record(
    z.string(),
    z.looseObject({
      'timeout-minutes': z.number().max(60),
      strategy: z
        .object({ matrix: z.record(z.string(), z.array(z.string())) })
        .partial()
        .optional(),
      'continue-on-error': z.string().optional(),
      steps: z.array(z.object({ uses: z.string().optional(), run: z.string().optional() })),
    }),
  ),
})

const read = (file: string) => {
  const document = parseDocument(readFileSync(new URL(file, folder), 'utf8'))
  expect(document.errors).toEqual([])
  return workflowSchema.parse(document.toJS())
}

describe.each(readdirSync(fileURLToPath(folder)))('the workflow %s', (file) => {
  const { jobs } = read(file)
  const steps = Object.values(jobs).flatMap((job) => job.steps)

  it('runs scripts that package.json has, and actions that are pinned by their commit', () => {
    for (const { run = '', uses } of steps) {
      for (const [, script = ''] of run.matchAll(/npm run (?:--silent )?([\w:-]+)/g))
        expect(scripts).toHaveProperty([script])
      if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
    }
  })
})

describe('the rehearsal', () => {
  it('runs weekly and on each change of main, on every version that the script knows; only the newest may fail', () => {
    const { on, jobs } = read('rehearsal.yml')
    expect(on).toMatchObject({ push: { branches: ['main'] }, schedule: [{}] })
    const { strategy, 'continue-on-error': mayFail } = jobs['rehearse']!
    const text = readFileSync(new URL('rehearseVersions.mjs', root), 'utf8')
    const known = /const versions = \{([^]*?)\n\}/.exec(text)?.[1] ?? ''
    expect(strategy?.matrix?.['version']).toEqual(
      [...known.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name),
    )
    expect(mayFail).toContain(`matrix.version == 'newest'`)
  })
})
