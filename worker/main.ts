/**
 * The worker's program: `main.js up` (engine and worker), `main.js worker` (worker for an engine that runs already), `main.js down`,
 * `main.js doctor`, `main.js notices` (for `outpool notices test`), `main.js trust`, `main.js untrusted` (for `outpool start`),
 * `main.js agents` (for `outpool adopt`), `main.js turn` (for `outpool wait`), `main.js usage`. `outpool` starts it as a separate process.
 */
import { ConfigError, HomeError, isOutOfFiles, outOfFiles, SealKeyError } from '../config/errors.js'
import { type GivenFlags, type HostProgram, parseProgram, programUsage } from '../config/hostPrograms.js'
import { type ConfigSource, locateConfig } from '../config/load/find.js'
import { loadConfig } from '../config/load/load.js'
import { openHome } from '../config/state/home.js'
import { SharedDomainError } from '../host/errors.js'
import { assertIndependent } from '../host/identity/failureDomains.js'
import { configureLog } from '../host/log.js'
import { printOnlyText } from '../host/printedOutput.js'
import { EngineUnreachableError, LogOptionError, WorkerError } from './errors.js'
import { logOptions } from './logOptions.js'

const exit = { done: 0, failed: 1, usage: 2, unreachable: 3 } as const

async function main(): Promise<number> {
  const parsed = parseProgram(process.argv.slice(2))
  if (parsed === null) {
    console.error(`usage:\n${programUsage()}`)
    return exit.usage
  }
  try {
    return await run(parsed.program, parsed.given)
  } catch (error) {
    return report(error, parsed.given.flag('debug'))
  }
}

async function run(program: HostProgram, given: GivenFlags): Promise<number> {
  const home = openHome()
  const path = given.option('config')
  const source = path === null ? {} : { path }
  switch (program) {
    case 'up':
    case 'worker': {
      configureLog(logOptions(given, process.env))
      // It loads the engine's library, which no other program needs.
      const { up } = await import('./up.js')
      await up({
        ...{ home, config: loadConfig(source), byContent: locateConfig(source).byContent },
        ...{ ownEngine: program === 'up', ui: given.flag('ui'), replace: given.flag('replace') },
      })
      return exit.done
    }
    case 'down': {
      const { down } = await import('./down.js')
      await down(home, (line) => console.log(line))
      return exit.done
    }
    case 'rehearse':
    case 'demo':
      console.error(`usage:\n${programUsage()}`)
      return exit.usage
    case 'trust': {
      const { trust } = await import('./trust.js')
      const request = { home, path: given.option('path') ?? '.', isRevoked: given.flag('revoke') }
      return (await trust({ ...request, isDryRun: given.flag('dry-run') })) ? exit.done : exit.failed
    }
    case 'doctor': {
      if (given.flag('domains') || given.flag('mermaid')) {
        const { showDomains } = await import('./doctor/domains.js')
        const format = given.flag('mermaid') ? 'mermaid' : given.flag('json') ? 'json' : 'table'
        return (await showDomains(home, loadConfig(source), format)) ? exit.done : exit.usage
      }
      const { doctor } = await import('./doctor/doctor.js')
      if (await doctor({ home, source, json: given.flag('json') })) return exit.done
      return (await isWellConfigured(source)) ? exit.failed : exit.usage
    }
    case 'untrusted': {
      const { printUntrusted } = await import('./untrusted.js')
      await printUntrusted(home, given.option('path'), () => loadConfig(source))
      return exit.done
    }
    case 'notices': {
      const { testNotices } = await import('./testNotices.js')
      return (await testNotices(home, loadConfig(source), given.flag('json'))) ? exit.done : exit.failed
    }
    case 'turn': {
      const { printTurn } = await import('./turn.js')
      const [agent, conversation] = [given.option('agent') ?? '', given.option('conversation') ?? '']
      await printTurn(home, loadConfig(source), { agent, conversation })
      return exit.done
    }
    case 'usage': {
      const { printUsage } = await import('./usage.js')
      await printUsage(home, loadConfig(source), Date.parse(given.option('since') ?? '1970-01-01'))
      return exit.done
    }
    case 'agents': {
      const { printAgents } = await import('./agents.js')
      await printAgents(home, loadConfig(source), given.option('conversation'))
      return exit.done
    }
  }
}

/** Whether every command would accept the configuration: one that is wrong has its own exit code. */
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
  error instanceof ConfigError ||
  error instanceof HomeError ||
  error instanceof SealKeyError ||
  error instanceof SharedDomainError ||
  error instanceof LogOptionError

/** Prints one line that says what is wrong and one that says what to do; the stack only with --debug. Returns the exit code. */
function report(error: unknown, debug: boolean): number {
  if (debug) console.error(error)
  else if (
    error instanceof WorkerError ||
    error instanceof HomeError ||
    error instanceof SealKeyError ||
    error instanceof SharedDomainError
  )
    console.error(`outpool: ${error.message}\n  -> ${error.remedy}`)
  else if (error instanceof ConfigError) console.error(error.report)
  else if (isOutOfFiles(error)) console.error(`outpool: ${outOfFiles.problem}\n  -> ${outOfFiles.remedy}`)
  else if (error instanceof Error) console.error(`outpool: ${error.message}`)
  else console.error('outpool:', error)
  if (isUsage(error)) return exit.usage
  return error instanceof EngineUnreachableError ? exit.unreachable : exit.failed
}

// The program that reads our output may have ended, which is no reason to stop watching.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', () => undefined)
  printOnlyText(stream, stream.isTTY)
}

process.exit(await main())
