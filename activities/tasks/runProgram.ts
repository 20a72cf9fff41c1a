/** Runs the program of a task. */
import { rmSync } from 'node:fs'
import { z } from 'zod'
import { SecretError } from '../../config/errors.js'
import { readJson } from '../../config/state/readJson.js'
import { resolveEnv } from '../../config/secrets/resolve.js'
import { failedOutcome, type TaskOutcome } from '../../policy/tasks/tasks.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'
import { endProcess, processStart } from '../../host/process/processes.js'
import { type CommandResult, runCommand } from '../../host/process/runCommand.js'
import { TaskFolder, taskOf } from '../../host/state/taskFolder.js'

const processSchema = z.object({ pid: z.int().positive(), start: z.string().min(1) })

export async function runProgram(host: Host, task: string, abort: AbortSignal): Promise<TaskOutcome> {
  const config = taskOf(host, task, 'run')
  const folder = new TaskFolder(host, task)
  const record = folder.path('running.json')
  const { stopGrace } = host.config.timing
  await endLeftover(record, stopGrace)
  let env: Record<string, string>
  try {
    env = { ...host.programEnvironment(), ...(await resolveEnv(config.env)) }
  } catch (error) {
    if (error instanceof SecretError) return failedOutcome(error.message)
    throw error
  }
  const result = await runCommand({
    ...{ run: config.run, cwd: config.cwd, env: { ...env, OUTPOOL_TASK: task } },
    ...{ timeoutMs: config.timeout, stopGraceMs: stopGrace, maxOutputBytes: config.maxOutputSize, abort },
    blockedBy: host.programProblem(config.run, config.cwd),
    onStart: (process) => writeFileAtomic(record, JSON.stringify(process)),
  })
  rmSync(record, { force: true })
  const file =
    result.printedBytes === 0
      ? null
      : folder.saveResult(printed(result, config.maxOutputSize), 'log', config.keep)
  if (result.why !== null) return failedOutcome(result.why, file)
  return { ok: true, error: null, summary: `succeeded after ${(result.ms / 1_000).toFixed(1)} s`, file }
}

/** Ends the program of a run whose worker was killed, so that two of them don't run at once. */
async function endLeftover(record: string, graceMs: number): Promise<void> {
  const process = readJson(record, processSchema)
  if (process && (await processStart(process.pid)) === process.start) await endProcess(process, graceMs)
  rmSync(record, { force: true })
}

function printed({ tail, printedBytes }: CommandResult, maxBytes: number): string {
  return printedBytes > maxBytes ? `[the last ${maxBytes} of ${printedBytes} bytes]\n${tail}` : tail
}
