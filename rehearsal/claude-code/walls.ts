/** How the program writes down that a turn has failed, each failure in a run of its own without a terminal. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { TurnFailure } from '../../agents/adapter/transcript.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { parseReset } from '../../agents/claude-code/limits/resetText.js'
import { runWallCase, type WallCaseResult } from '../../lab/standin/runWallCase.js'
import { fewRetries, instantsFrom, type WallCase, wallCases } from '../../lab/standin/wallCases.js'
import { type Checks, expectThat, type Scene } from '../checks.js'
import type { Context } from './context.js'

const rejectedSchema = z.looseObject({ status: z.literal('rejected') })

/** By expectation: the cases that have to be read as they are meant. */
const casesOf = {
  'wall-entry': ['five-hour limit', 'weekly limit'],
  'wall-kinds': ['Opus limit', 'limit with an unknown claim', 'individual spend limit'],
  'transient-entry': ['429 without unified headers', '529'],
  'login-entry': ['401 with a login', 'no credential'],
  'other-failures': ['400, credit balance too low', '404, no such model', '400, prompt too long'],
} as const

export const walls: Scene<Context> = {
  name: 'walls',
  covers: [...Object.keys(casesOf), 'reset-text'],
  async run(context, checks) {
    for (const [name, cases] of Object.entries(casesOf)) {
      const results = new Map<string, { result: WallCaseResult; failure: TurnFailure | null }>()
      await checks.holds(name, async () => {
        for (const one of cases) {
          const row = wallCases.find((other) => other.name === one || other.name.startsWith(one))
          if (row === undefined) throw new Error(`there is no case ${one}`)
          results.set(one, await reproduce(context, row))
        }
      })
      if (name === 'wall-entry') await wallEntry(checks, results)
    }
  },
}

const instants = instantsFrom(new Date())

/** Throws Unexpected if the adapter reads the failure as something else. */
async function reproduce(
  { harness, world }: Context,
  row: WallCase,
): Promise<{ result: WallCaseResult; failure: TurnFailure | null }> {
  const options = { sessionId: randomUUID(), instants, env: fewRetries, program: harness.program }
  const result = await runWallCase(world, row, options)
  const last = result.transcript === null ? null : (await claudeCode.readTail(result.transcript, 0)).last
  const failure = last?.kind === 'failure' ? last.failure : null
  expectThat(failure !== null, `${row.name}: nothing is written about it`)
  expectThat(failure.class === row.wanted.class, `${row.name} is read as ${failure.class}`)
  if (failure.class === 'wall' && row.wanted.class === 'wall') {
    const { kind, scope, resetsAt } = failure.wall
    const reset = row.wanted.resets === null ? null : instants[row.wanted.resets].toISOString()
    expectThat(row.wanted.kinds.includes(kind), `${row.name} is read as a wall of the kind ${kind}`)
    expectThat(scope === row.wanted.scope, `${row.name} is read as a wall of ${scope}`)
    expectThat(resetsAt === reset, `${row.name} is read with the reset ${resetsAt ?? 'unknown'}`)
  }
  return { result, failure }
}

/** The structured part, without which the texts alone would tell. */
async function wallEntry(
  checks: Checks,
  results: ReadonlyMap<string, { result: WallCaseResult }>,
): Promise<void> {
  await checks.holds('wall-entry', () => {
    for (const [name, { result }] of results) {
      const isProof = result.written.some(
        ({ apiError, quotaLimits }) =>
          apiError === 'usage_limit_reached' || rejectedSchema.safeParse(quotaLimits).success,
      )
      expectThat(isProof, `${name}: its entry has neither apiError nor quotaLimits`)
    }
    expectThat(results.size === casesOf['wall-entry'].length, 'not every wall is read as one')
  })
  await checks.holds('reset-text', () => {
    const now = new Date().toISOString()
    for (const [name, wanted] of [
      ['five-hour limit', instants.soon],
      ['weekly limit', instants.later],
    ] as const) {
      const text = results.get(name)?.result.result?.result ?? ''
      expectThat(
        parseReset(text, now) === wanted.toISOString(),
        `the reset in ${JSON.stringify(text)} is not read`,
      )
    }
  })
}
