/** Runs the program for its output, outside of any session: version, login, usage. */
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

/** `env` is the whole environment. Throws AgentProgramError if the program is missing or does not end in time. */
export async function runProgram(
  command: AgentCommand,
  args: string[],
  env: Record<string, string>,
  cwd: string,
): Promise<ProgramResult> {
  const result = await execa(command.command, args, {
    cwd,
    env,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: runTimeoutMs,
    killSignal: 'SIGTERM',
    forceKillAfterDelay: 2000,
    maxBuffer: 4 * 1024 * 1024,
  })
  if (result.timedOut)
    throw new AgentProgramError(command.command, `gave no answer within ${runTimeoutMs / 1000} s`)
  if (result.exitCode === undefined)
    throw new AgentProgramError(command.command, 'could not be run', { cause: result.cause })
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr }
}
