/** Runs the `outpool` command to its end. */
import { execFile } from 'node:child_process'

export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

export interface CommandPlace {
  env: Record<string, string>
  cwd: string
}

export interface CommandRunner {
  run(args: string[], place: CommandPlace): Promise<CliResult>
  /** Ends what it has started. */
  close(): Promise<void>
}

/** As a person does it: a process for the command alone. `program`: its file. */
export function runCommand(program: string, args: string[], place: CommandPlace): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], place, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}

export const definedOnly = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
