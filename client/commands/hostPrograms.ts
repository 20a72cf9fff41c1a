/** `outpool up`, `outpool worker`, `outpool doctor`: run by the worker room's own entry, in a process of its own. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { CommandContext } from '../commandContext.js'

const entry = fileURLToPath(new URL('../../worker/main.js', import.meta.url))

/** Passes everything through: terminal, arguments, signals, exit code. */
export async function runHostProgram(
  program: 'up' | 'worker' | 'doctor',
  context: CommandContext,
): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, entry, program, ...optionsOf(context)], {
    // The channel carries no messages. When this process ends, even by KILL, it breaks, and the worker ends too.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  const forward = (signal: NodeJS.Signals): void => {
    // A terminal sends Ctrl-C to the child as well; twice would mean «at once» to it.
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

function optionsOf(context: CommandContext): string[] {
  const config = context.option('config')
  const flags = ['json', 'debug', 'domains', 'mermaid']
    .filter((name) => context.flag(name))
    .map((name) => `--${name}`)
  return config === null ? flags : ['--config', config, ...flags]
}
