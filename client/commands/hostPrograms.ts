/**
 * `outpool up`, `down`, `worker`, `doctor`, `notices`, `trust`, and what `outpool start` and `adopt` ask, each run in a separate process, from
 * worker/main.ts; `rehearse` from rehearsal/main.ts, `demo` from demo/main.ts.
 */
import { execFile, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type GivenFlags, type HostProgram, programArguments } from '../../config/hostPrograms.js'

const workerEntry = new URL('../../worker/main.js', import.meta.url)
/** Programs that are not started from worker/main.ts. */
const entries: Partial<Record<HostProgram, URL>> = {
  rehearse: new URL('../../rehearsal/main.js', import.meta.url),
  demo: new URL('../../demo/main.js', import.meta.url),
}

function commandLine(program: HostProgram, given: GivenFlags): string[] {
  const entry = entries[program] ?? workerEntry
  return [...process.execArgv, fileURLToPath(entry), ...programArguments(program, given)]
}

/** Passes on the terminal, the flags and signals, and takes over the exit code. */
export async function runHostProgram(program: HostProgram, given: GivenFlags): Promise<void> {
  const args = commandLine(program, given)
  const child = spawn(process.execPath, args, {
    // The channel carries no messages. It breaks when this process ends, even by KILL, and then the worker ends too.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  const forward = (signal: NodeJS.Signals): void => {
    // A terminal sends Ctrl-C to the child as well, and the child takes a second one as an order to stop at once.
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, forward)
  try {
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
    })
  } finally {
    for (const signal of signals) process.off(signal, forward)
  }
}

/** More than thousands of agents would print. */
const outputMaxBytes = 16 * 1024 * 1024

/** Runs a program that prints for another program. Returns its output, or null if it failed: then it has said why, and set the exit code. */
export function readHostProgram(program: HostProgram, given: GivenFlags): Promise<string | null> {
  const args = commandLine(program, given)
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { maxBuffer: outputMaxBytes }, (error, stdout, stderr) => {
      process.stderr.write(stderr)
      if (error !== null) process.exitCode = child.exitCode ?? 1
      resolve(error === null ? stdout : null)
    })
  })
}
