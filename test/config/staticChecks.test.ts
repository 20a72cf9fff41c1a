/** Each kind of static check finds a fault: a rule that a newer version of its program no longer knows would find none. */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A small house with the same rooms and settings, and with one fault in each file of `faults`. */
let house: string

const sound = {
  'activities/seen.ts': 'export const seen = 1\nexport type Seen = number\n',
  'client/orders.ts': "import { order } from '../workflows/messages.js'\n\nexport const sent = order\n",
  'workflows/messages.ts': 'export const order = 1\n',
  'workflows/types.ts': "import type { Seen } from '../activities/seen.js'\n\nexport const first: Seen = 1\n",
  'worker/metrics/metrics.ts':
    "import { metrics } from '@opentelemetry/api'\n\nexport const openMetrics = metrics\n",
  // The other half of the cycle of `lab/round.ts`, which is reported once.
  'lab/trip.ts': "import type { round } from './round.js'\n\nexport type Trip = typeof round\n",
  'worker/lazily.ts': "export const open = async () => (await import('./metrics/metrics.js')).openMetrics\n",
}

const inLint = {
  'policy/clock.ts': ['export const now = Date.now()\n', 'eslint(no-restricted-properties)'],
  'policy/environment.ts': ['export const home = process.env\n', 'eslint(no-restricted-globals)'],
  'client/byName.ts': [
    "export const stop = (handle: { signal: (name: string) => Promise<void> }) => handle.signal('stop')\n",
    'ours(no-restricted-syntax)',
  ],
  'workflows/byName.ts': [
    "declare function setHandler(name: string, handle: () => void): void\nsetHandler('stop', () => undefined)\n",
    'ours(no-restricted-syntax)',
  ],
  'worker/byName.ts': [
    'export const start = (client: { signalWithStart: (type: string, options: object) => Promise<void> }) =>\n' +
      '  client.signalWithStart(`session`, { signal: `stop` })\n',
    'ours(no-restricted-syntax)',
  ],
  'host/any.ts': ['export let thing: any\n', 'typescript(no-explicit-any)'],
  'host/unsafe.ts': ["export const name: string = JSON.parse('1')\n", 'typescript(no-unsafe-assignment)'],
  'host/floating.ts': [
    'const wait = async () => Promise.resolve()\nwait()\n',
    'typescript(no-floating-promises)',
  ],
  'host/misused.ts': [
    'setTimeout(async () => {\n  await Promise.resolve()\n}, 1)\n',
    'typescript(no-misused-promises)',
  ],
  'host/missed.ts': [
    "export function word(way: 'in' | 'out') {\n  switch (way) {\n    case 'in':\n      return 1\n  }\n  return 2\n}\n",
    'typescript(switch-exhaustiveness-check)',
  ],
} satisfies Record<string, [text: string, rule: string]>

const inGraph = {
  'policy/deep/in/arrow.ts': ["export { sent } from '../../../client/orders.js'\n", 'rooms-policy'],
  'policy/type.ts': ["export type { Seen } from '../activities/seen.js'\n", 'rooms-policy'],
  'workflows/value.ts': ["export { seen } from '../activities/seen.js'\n", 'rooms-workflows'],
  'client/lazily.ts': ["export const load = () => import('../workflows/types.js')\n", 'rooms-client'],
  'worker/eagerly.ts': ["export { openMetrics } from './metrics/metrics.js'\n", 'metrics-only-when-on'],
  'lab/meter.ts': [
    "import type { Meter } from '@opentelemetry/api'\n\nexport type Of = Meter\n",
    'opentelemetry-only-for-metrics',
  ],
  'client/ask.ts': ["export const ask = () => import('@clack/prompts')\n", 'prompts-only-in-the-guide'],
  'lab/round.ts': ["export const round = () => import('./trip.js')\n", 'no-circular'],
} satisfies Record<string, [text: string, rule: string]>

beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), 'outpool-house-'))
  for (const name of [
    '.oxlintrc.json',
    'restrictedSyntax.mjs',
    '.dependency-cruiser.mjs',
    'tsconfig.json',
    'package.json',
  ])
    cpSync(join(root, name), join(house, name))
  symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'))
  const faults = Object.entries({ ...inLint, ...inGraph }).map(([name, [text]]) => [name, text] as const)
  for (const [name, text] of [...Object.entries(sound), ...faults]) {
    mkdirSync(join(house, dirname(name)), { recursive: true })
    writeFileSync(join(house, name), text)
  }
})
afterAll(() => {
  rmSync(house, { recursive: true, force: true })
})

/** What a program of `node_modules/.bin` prints about the house. With what it exits depends on the format. */
const reported = (program: string, ...args: string[]): Promise<string> =>
  new Promise((resolve) => {
    execFile(join(root, 'node_modules/.bin', program), args, { cwd: house }, (_error, stdout) => {
      resolve(stdout)
    })
  })

const expected = (faults: Record<string, string[]>): string[] =>
  Object.entries(faults).map(([name, [, rule]]) => `${name} ${rule ?? ''}`)

it('the linter finds each fault, and nothing else', async () => {
  const { diagnostics } = z
    .object({ diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })) })
    .parse(JSON.parse(await reported('oxlint', '--format', 'json')))
  const found = diagnostics.map(({ code, filename }) => `${filename} ${code}`)
  expect(found.sort()).toEqual(expected(inLint).sort())
})

it('the rules of imports find each fault, and nothing else', async () => {
  const { summary } = z
    .object({
      summary: z.object({
        violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })),
      }),
    })
    .parse(JSON.parse(await reported('depcruise', '--output-type', 'json', '.')))
  const found = summary.violations.map(({ from, rule }) => `${from} ${rule.name}`)
  expect(found.sort()).toEqual(expected(inGraph).sort())
})
