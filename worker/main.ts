/**
 * The worker's own program: `main.js up` (engine and worker), `main.js worker` (worker for an engine that runs already),
 * `main.js doctor`. The command line starts it as a process of its own.
 */
import { parseArgs } from 'node:util'
import { ConfigError, HomeError } from '../config/errors.js'
import type { ConfigSource } from '../config/load/find.js'
import { loadConfig } from '../config/load/load.js'
import { openHome } from '../config/state/home.js'
import { EngineUnreachableError, SharedDomainError, WorkerError } from './errors.js'
import { assertIndependent } from './assertIndependent.js'
import { up } from './up.js'

const exit = { done: 0, failed: 1, usage: 2, unreachable: 3 } as const

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      config: { type: 'string' },
      debug: { type: 'boolean' },
      json: { type: 'boolean' },
      domains: { type: 'boolean' },
      mermaid: { type: 'boolean' },
    },
    allowPositionals: true,
  })
  const [command] = positionals
  try {
    const home = openHome()
    const source = values.config === undefined ? {} : { path: values.config }
    switch (command) {
      case 'up':
      case 'worker':
        await up({ home, config: loadConfig(source), ownEngine: command === 'up' })
        return exit.done
      case 'doctor': {
        if (values.domains ?? values.mermaid ?? false) {
          const { showDomains } = await import('./doctor/domains.js')
          const format = values.mermaid === true ? 'mermaid' : values.json === true ? 'json' : 'table'
          return (await showDomains(home, loadConfig(source), format)) ? exit.done : exit.usage
        }
        const { doctor } = await import('./doctor/doctor.js')
        if (await doctor({ home, source, json: values.json ?? false })) return exit.done
        return (await isWellConfigured(source)) ? exit.failed : exit.usage
      }
      default:
        console.error(
          'usage: main.js up|worker|doctor [--config FILE] [--json] [--domains] [--mermaid] [--debug]',
        )
        return exit.usage
    }
  } catch (error) {
    return report(error, values.debug ?? false)
  }
}

/** A configuration that no command would accept has an exit code of its own, whoever finds it. */
async function isWellConfigured(source: ConfigSource): Promise<boolean> {
  try {
    await assertIndependent(loadConfig(source))
    return true
  } catch (error) {
    if (isUsage(error)) return false
    throw error
  }
}

const isUsage = (error: unknown): boolean =>
  error instanceof ConfigError || error instanceof HomeError || error instanceof SharedDomainError

/** One line of what is wrong, one of what to do; the stack only for who asks for it. */
function report(error: unknown, debug: boolean): number {
  if (debug) console.error(error)
  else if (error instanceof WorkerError || error instanceof HomeError)
    console.error(`outpool: ${error.message}\n  -> ${error.remedy}`)
  else if (error instanceof ConfigError) console.error(error.report)
  else if (error instanceof Error) console.error(`outpool: ${error.message}`)
  else console.error('outpool:', error)
  if (isUsage(error)) return exit.usage
  return error instanceof EngineUnreachableError ? exit.unreachable : exit.failed
}

// Whoever read our lines may have gone; that is no reason to stop watching.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

process.exit(await main())
