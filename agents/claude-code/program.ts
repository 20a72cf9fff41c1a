/** Runs the program for its output, outside of any session: version, login, usage. */
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import type { AgentCommand } from '../adapter/place.js'
import { AgentProgramError } from '../errors.js'

export interface ProgramResult {
  exitCode: number
  stdout: string
  stderr: string
}

/** A usage probe waits for the network; other commands take half a second. */
const runTimeoutMs = 30_000

/** Between TERM and KILL. */
const stopGraceMs = 2_000

/** `env` is the whole environment. Throws AgentProgramError if the program is missing or does not end in time. */
export async function runProgram(
  command: AgentCommand,
  args: string[],
  env: Record<string, string>,
  cwd: string,
  timeoutMs = runTimeoutMs,
): Promise<ProgramResult> {
  const running = execa(command.command, args, {
    cwd,
    env,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    // Leads a process group: `command` may be a script that runs the program, which would outlive it and keep its output open.
    detached: true,
    maxBuffer: 4 * 1024 * 1024,
  })
  const limit = new AbortController()
  const result = await Promise.race([running, timeUp(running.pid, timeoutMs, limit.signal)]).finally(() =>
    limit.abort(),
  )
  if (result === null)
    throw new AgentProgramError(command.command, `gave no answer within ${timeoutMs / 1000} s`)
  if (result.exitCode === undefined)
    throw new AgentProgramError(command.command, 'could not be run', { cause: result.cause })
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr }
}

/** Ends the process group of `leader` after the time, unless `signal` aborts before. */
async function timeUp(leader: number | undefined, timeoutMs: number, signal: AbortSignal): Promise<null> {
  const isOver = await delay(timeoutMs, true, { signal }).catch(() => false)
  if (!isOver || leader === undefined) return null
  signalGroup(leader, 'SIGTERM')
  await delay(stopGraceMs, undefined, { signal }).catch(() => undefined)
  signalGroup(leader, 'SIGKILL')
  return null
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal)
  } catch {
    // Every process of the group has ended.
  }
}
