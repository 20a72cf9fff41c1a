/**
 * `npm run demo`: a session hits the wall and continues on another account, on real parts. Only the API
 * behind the agent program and the two logins are made up. `npm run demo -- --keep` leaves it running until
 * Ctrl-C.
 */
import { parseArgs } from 'node:util'
import { openHome } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { ownEngineOnly } from '../../lab/engine/engine.js'
import { ConditionTimeout } from '../../lab/until.js'
import { ProgramNotFoundError } from '../../worker/errors.js'
import { obtainTemporal } from '../../worker/engine/find.js'
import { DemoFailed, Outpool } from './outpool.js'
import { findMissing } from './preflight.js'
import { Screen } from './screen.js'
import { accounts, prepareStandIn, runDemo } from './story.js'
import { explain, isProven, keepNote, summarise } from './summary.js'

/** The exit code that a shell reports for a program that was ended by a signal. */
const interrupted = 130

const screen = new Screen(process.stdout)
const stop = new AbortController()
const interrupt = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())

/** With --keep, once the rest is done: it waits to be ended. */
let kept = false

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { keep: { type: 'boolean' } } })
  const env = ownEngineOnly()
  const missing = await findMissing(env)
  for (const { what, remedy } of missing) console.error(`demo: ${what}\n  -> ${remedy}`)
  if (missing.length > 0) return 1

  screen.line(screen.colors.bold('outpool: a session hits the wall and continues on another account'))
  screen.line('Real: Temporal, tmux, Claude Code. Made up: the API behind it, and two logins.')
  screen.heading('The healer')
  const temporal = await Promise.race([obtainTemporal({ env, say: (line) => screen.say(line) }), interrupt])
  if (!temporal) return interrupted
  screen.say(`${temporal.version}, from ${sourceNames[temporal.source]}`)

  const outpool = await Outpool.create([...accounts], temporal.path)
  try {
    prepareStandIn(outpool)
    screen.say(`outpool up    # with the made-up logins ${accounts.join(' and ')}`)
    // If a run is interrupted its part stays unfinished: its promise is no longer awaited.
    return await Promise.race([
      show(outpool, values.keep ?? false),
      interrupt.then(() => (kept ? 0 : interrupted)),
    ])
  } finally {
    const gone = await outpool.close()
    screen.line()
    screen.say(`Ended, with nothing left behind: ${gone.join(', ') || 'nothing ran'}; its folder is removed.`)
  }
}

async function show(outpool: Outpool, keep: boolean): Promise<number> {
  await outpool.up(keep ? ['--ui'] : [], (line) => screen.quote('up', line.replace(/^\S+ \w+ +/, '')))
  const story = await runDemo(outpool, screen, stop.signal)
  summarise(story, screen)
  if (!isProven(story)) throw new DemoFailed('the conversation did not arrive whole on the other account')
  screen.heading('Where to look: outpool show shop')
  for (const line of (await outpool.command('show', 'shop')).trimEnd().split('\n')) screen.cut('', line)
  explain(screen)
  if (!keep) return 0
  const home = openHome(outpool.fleet.env)
  const engine = readEngine(home)
  keepNote(screen, {
    home: home.dir,
    uiUrl: engine?.uiUrl ?? null,
    namespace: engine?.namespace ?? 'default',
  })
  kept = true
  await interrupt
  return 0
}

const sourceNames = {
  OUTPOOL_TEMPORAL: 'OUTPOOL_TEMPORAL',
  PATH: 'the PATH',
  cache: 'the cache',
  download: "Temporal's download",
  PyPI: 'PyPI',
} as const

function report(error: unknown): number {
  const known = error instanceof DemoFailed || error instanceof ConditionTimeout
  if (error instanceof ProgramNotFoundError) console.error(`\ndemo: ${error.message}\n  -> ${error.remedy}`)
  else console.error(known ? `\ndemo: ${error.message}` : error)
  return 1
}

// An interrupted part may still wait for something: ending does not wait for it.
process.exit(await main().catch(report))
