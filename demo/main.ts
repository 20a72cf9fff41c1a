/**
 * The program of `outpool demo`, which starts it as a separate process: a session hits the wall and continues on another account, on
 * real parts. Only the API behind the agent program and the two logins are made up. `--keep` leaves it running until Ctrl-C. Exit
 * codes: 0 shown, 1 failed, 2 wrong usage, 130 interrupted.
 */
import { agentNamed } from '../agents/index.js'
import { AgentProgramError } from '../agents/errors.js'
import { ConfigError } from '../config/errors.js'
import { parseProgram } from '../config/hostPrograms.js'
import { openHome } from '../config/state/home.js'
import { readEngine } from '../config/state/liveFile.js'
import { printOnlyText } from '../host/printedOutput.js'
import { ownEngineOnly } from '../lab/engine/ownEngineOnly.js'
import { ConditionTimeout } from '../lab/until.js'
import { ProgramNotFoundError } from '../worker/errors.js'
import { obtainTemporal } from '../worker/engine/find.js'
import { DemoFailed, Outpool } from './outpool.js'
import { findMissing } from './preflight.js'
import { agent, findAgentProgram, shortPath } from './programs.js'
import { Screen } from './screen.js'
import { accounts, prepareStandIn, runDemo } from './story.js'
import { explain, isProven, keepNote, summarise } from './summary.js'

/** `interrupted` is the code that a shell reports for a program that was ended by Ctrl-C. */
const exit = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const

const stop = new AbortController()
const interrupt = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
// The command that started this process was killed: what was started here is removed all the same.
process.on('disconnect', () => stop.abort())
if (process.channel !== undefined && !process.connected) stop.abort()
for (const stream of [process.stdout, process.stderr]) {
  // The program that reads our output has ended.
  stream.on('error', () => stop.abort())
  printOnlyText(stream, stream.isTTY)
}
const screen = new Screen(process.stdout)

/** With --keep, once the rest is done: it waits to be ended. */
let kept = false

async function main(): Promise<number> {
  const parsed = parseProgram(process.argv.slice(2))
  if (parsed?.program !== 'demo') {
    console.error('usage: main.js demo [--keep] [--config FILE] [--debug]')
    return exit.usage
  }
  const { given } = parsed
  try {
    return await demonstrate(given.option('config'), given.flag('keep'))
  } catch (error) {
    return report(error, given.flag('debug'))
  }
}

async function demonstrate(config: string | null, keep: boolean): Promise<number> {
  const env = ownEngineOnly()
  const program = findAgentProgram(config)
  const missing = await findMissing(env, program)
  for (const { what, remedy } of missing) console.error(`outpool: ${what}\n  -> ${remedy}`)
  if (missing.length > 0 || program.file === null) return exit.failed

  screen.line(screen.colors.bold('outpool: a session hits the wall and continues on another account'))
  screen.line('Real: Temporal, tmux, Claude Code. Made up: the API behind it, and two logins.')
  screen.heading('The healer')
  const temporal = await Promise.race([obtainTemporal({ env, say: (line) => screen.say(line) }), interrupt])
  if (!temporal) return exit.interrupted
  screen.say(`${temporal.version}, from ${sourceNames[temporal.source]}`)

  const outpool = await Outpool.create([...accounts], temporal.path, program.file)
  try {
    prepareStandIn(outpool)
    // If a run is interrupted its part stays unfinished: its promise is no longer awaited.
    return await Promise.race([
      show(outpool, program.file, keep),
      interrupt.then(() => (kept ? exit.done : exit.interrupted)),
    ])
  } finally {
    const gone = await outpool.close()
    screen.line()
    screen.say(`Ended, with nothing left behind: ${gone.join(', ') || 'nothing ran'}; its folder is removed.`)
  }
}

async function show(outpool: Outpool, program: string, keep: boolean): Promise<number> {
  const asked = { command: program, args: [], env: {}, baseEnv: outpool.fleet.env }
  screen.say(`Claude Code ${await agentNamed(agent).version(asked)}, from ${shortPath(program)}`)
  screen.say(`outpool up    # with the made-up logins ${accounts.join(' and ')}`)
  await outpool.up(keep ? ['--ui'] : [], (line) => screen.quote('up', line.replace(/^\S+ \w+ +/, '')))
  const story = await runDemo(outpool, screen, stop.signal)
  summarise(story, screen)
  if (!isProven(story)) throw new DemoFailed('the conversation did not arrive whole on the other account')
  screen.heading('Where to look: outpool show shop')
  for (const line of (await outpool.command('show', 'shop')).trimEnd().split('\n')) screen.cut('', line)
  explain(screen)
  if (!keep) return exit.done
  const home = openHome(outpool.fleet.env)
  const engine = readEngine(home)
  keepNote(screen, {
    home: home.dir,
    uiUrl: engine?.uiUrl ?? null,
    namespace: engine?.namespace ?? 'default',
  })
  kept = true
  await interrupt
  return exit.done
}

const sourceNames = {
  OUTPOOL_TEMPORAL: 'OUTPOOL_TEMPORAL',
  PATH: 'the PATH',
  cache: 'the cache',
  download: "Temporal's download",
  PyPI: 'PyPI',
} as const

function report(error: unknown, debug: boolean): number {
  if (debug) console.error(error)
  else if (error instanceof ConfigError) console.error(error.report)
  else if (error instanceof ProgramNotFoundError || error instanceof AgentProgramError)
    console.error(`\noutpool: ${error.message}\n  -> ${error.remedy}`)
  else if (error instanceof DemoFailed || error instanceof ConditionTimeout)
    console.error(`\noutpool: ${error.message}`)
  else console.error(error)
  return error instanceof ConfigError ? exit.usage : exit.failed
}

// An interrupted part may still wait for something: ending does not wait for it.
process.exit(await main())
