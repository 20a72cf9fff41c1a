/** `outpool drill` */
import { WorkflowFailedError } from '@temporalio/client'
import { z } from 'zod'
import type { Config } from '../../config/config.js'
import { openHome } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { loadConfig } from '../../config/load/load.js'
import type { DrillReport, DrillStart } from '../../policy/independence/drill.js'
import { commonQueue, drillWorkflowId } from '../../policy/ids.js'
import { type CommandContext, printNotice, print, printJson } from '../commandContext.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { FailedError } from '../errors.js'
import { isFresh } from '../sessions/sessionRows.js'
import { oneLine } from '../output/terminal.js'
import { span } from '../output/times.js'

const reportSchema = z.object({
  ...{ id: z.string(), session: z.string(), startedAt: z.string(), endedAt: z.string() },
  ...{ ok: z.boolean(), why: z.string().nullable() },
  steps: z.array(
    z.object({
      ...{ name: z.string(), startedAt: z.string(), ms: z.number(), found: z.string(), ok: z.boolean() },
    }),
  ),
}) satisfies z.ZodType<DrillReport>

/** Added to the drill's own time: to end its session and to write its report. Milliseconds. */
const conclusionMarginMs = 10 * 60_000

export async function drill(context: CommandContext): Promise<void> {
  const config = loadConfig({ path: context.config })
  if (context.flag('dry-run')) {
    const plan = planOf(config)
    if (context.json) printJson(plan)
    else print(describePlan(plan))
    return
  }
  const home = openHome()
  if (!isFresh(readLive(home), new Date()))
    throw new FailedError(
      'no worker is watching on this host, so the drill could not run',
      'start it with `outpool up`',
    )
  const report = await withEngine(home, (engine) => run(engine, config, home.hostId))
  if (context.json) printJson(report)
  else print(describe(report))
  if (!report.ok) process.exitCode = 1
}

async function run(engine: Engine, config: Config, host: string): Promise<DrillReport> {
  const { agent, model, timeout } = config.drill
  const { pool, timing } = config
  const start: DrillStart = { pool: pool.name, host, agent, model, timeout, timing }
  const workflowId = drillWorkflowId(new Date().toISOString())
  const handle = await engine.client.workflow.start('drill', {
    ...{ workflowId, taskQueue: commonQueue, args: [start] },
    staticSummary: 'a drill: does the healer act when every account is spent?',
  })
  printNotice(
    `the drill runs for at most ${span(timeout)}, and goes on if you end this command: ${workflowId}`,
  )
  try {
    return reportSchema.parse(await engine.within(timeout + conclusionMarginMs, () => handle.result()))
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error
    throw new FailedError('the drill was broken off', `see ${workflowId} in Temporal's Web UI`, {
      cause: error,
    })
  }
}

/** What a drill would do. */
interface Plan {
  declaredWalled: string[]
  fallbacks: string[]
  agent: string
  model: string | null
  withinMs: number
  everyMs: number | null
}

const planOf = ({ pool, substrates, drill: { agent, model, timeout, every } }: Config): Plan => ({
  declaredWalled: pool.accounts.map(({ name }) => name),
  fallbacks: substrates.map(({ name }) => name),
  ...{ agent, model, withinMs: timeout, everyMs: every },
})

function describePlan({ declaredWalled, fallbacks, agent, model, withinMs, everyMs }: Plan): string {
  const fallback =
    fallbacks.length === 0
      ? 'It would have to park, since no substrate is configured, and resume when the simulated walls end.'
      : `It would have to start on ${fallbacks[0] ?? ''}${fallbacks.length > 1 ? ` (else ${fallbacks.slice(1).join(', ')})` : ''}, answer there, and return when the simulated walls end.`
  return [
    `A new test session (${agent}${model === null ? '' : `, ${model}`}) would start on an account and answer with one word.`,
    `For this session only, ${declaredWalled.join(', ')} would count as walled, for at most ${span(withinMs)}.`,
    fallback,
    `It costs two or three answers of one word. ${everyMs === null ? 'It runs only on demand (drill.every is not set).' : `It runs by itself every ${span(everyMs)}.`}`,
  ].join('\n')
}

function describe({ session, startedAt, endedAt, ok, why, steps }: DrillReport): string {
  const width = Math.max(...steps.map(({ name }) => name.length), 0)
  const lines = steps.map(
    (step) =>
      `${step.ok ? 'ok  ' : 'FAIL'}  ${step.name.padEnd(width)}  ${oneLine(step.found)} (${span(step.ms)})`,
  )
  const took = span(Date.parse(endedAt) - Date.parse(startedAt))
  const verdict = ok
    ? `The healer acts when every account is spent: proven in ${took} with ${session}.`
    : `The drill failed after ${took}: ${oneLine(why ?? 'no reason given')}`
  return [...lines, '', verdict].join('\n')
}
