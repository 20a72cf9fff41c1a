/**
 * What a report costs the agent: the command of a hook, and that of the status line, over starting the same
 * shell.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { agentNamed } from '../agents/index.js'
import { runAlternating, type Measure, type Row } from './harness.js'

/** One run takes milliseconds, so many are measured for each requested pair. */
const perRun = 40

const body = JSON.stringify({
  session_id: '7da1d9f0-0000-4000-8000-000000000000',
  hook_event_name: 'StopFailure',
  error: 'rate_limit',
  last_assistant_message: "You've hit your 5-hour limit · resets 9:54pm (UTC)",
  rate_limits: { five_hour: { used_percentage: 37, resets_at: 1795296250 } },
  // A status of the real program is about this long.
  padding: 'x'.repeat(2_500),
})

const commandSchema = z.object({ command: z.string() })
const settingsSchema = z.object({
  statusLine: commandSchema,
  hooks: z.object({ StopFailure: z.tuple([z.object({ hooks: z.tuple([commandSchema]) })]) }),
})
type Settings = z.output<typeof settingsSchema>

/** As the agent program runs it: the command through a shell, the body on its standard input. */
function timed(command: string): number {
  const from = performance.now()
  const { status } = spawnSync('/bin/sh', ['-c', command], { input: body })
  if (status !== 0) throw new Error(`${command} ended with ${String(status)}`)
  return performance.now() - from
}

/** The settings file that a launch is given. */
async function settingsOfLaunch(dir: string): Promise<Settings> {
  await agentNamed('claude-code').planLaunch({
    ...{ place: { kind: 'account', name: 'bench', configDir: dir, env: {} }, session: 'bench', fence: 7 },
    ...{
      command: { command: 'claude', args: [], env: {} },
      sessionId: '7da1d9f0-0000-4000-8000-000000000000',
    },
    ...{ cwd: dir, model: null, mode: 'new', prompt: null, baseEnv: {} },
    ...{ launchDir: join(dir, 'launch'), reportDir: join(dir, 'reports') },
  })
  return settingsSchema.parse(JSON.parse(readFileSync(join(dir, 'launch', 'settings.json'), 'utf8')))
}

export const reports: Measure = {
  name: 'reports',
  description: 'what the agent waits for: its hooks and its status line',
  runs: 8,
  run: async ({ runs }) => ({
    rows: [
      await row('a hook’s report', runs, ({ hooks }) => hooks.StopFailure[0].hooks[0].command),
      await row('a status line’s report', runs, ({ statusLine }) => statusLine.command),
    ],
  }),
}

async function row(
  description: string,
  runs: number,
  commandOf: (settings: Settings) => string,
): Promise<Row> {
  const dir = mkdtempSync(join(tmpdir(), 'outpool-bench-'))
  try {
    const command = commandOf(await settingsOfLaunch(dir))
    const times = await runAlternating(
      runs * perRun,
      () => Promise.resolve(timed(':')),
      () => Promise.resolve(timed(command)),
    )
    if (readdirSync(join(dir, 'reports')).length === 0) throw new Error('nothing was reported')
    return {
      description: `${description}; floor: the same shell, started empty`,
      unit: 'ms',
      ...times,
      goal: { over: 30 },
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
