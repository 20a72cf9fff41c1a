/** The program of `outpool rehearse`, which starts it as a separate process. Exit codes: 0 all held, 1 some did not, 2 wrong usage. */
import { agentNamed } from '../agents/index.js'
import { expectations } from '../agents/claude-code/expectations.js'
import { ConfigError, HomeError } from '../config/errors.js'
import { parseProgram } from '../config/hostPrograms.js'
import { openHome } from '../config/state/home.js'
import { shortfalls, type Verdict, writeVerdict } from '../config/state/rehearsals.js'
import { version } from '../config/version.js'
import { printOnlyText } from '../host/printedOutput.js'
import { findInstalledAgent } from '../host/process/installedAgent.js'
import { scenes } from './claude-code/index.js'
import { formatVerdict } from './print.js'
import { rehearse } from './rehearse.js'
import { messageOf } from '../policy/errorFacts.js'

const agent = 'claude-code'
const exit = { held: 0, fellShort: 1, usage: 2 } as const

/**
 * What is expected comes within a second or two. How long the program takes to print its version tells how busy the machine is.
 * Milliseconds.
 */
const leastPatience = 20_000
const mostPatience = 180_000
const patiencePerStart = 60

async function main(): Promise<number> {
  const parsed = parseProgram(process.argv.slice(2))
  if (parsed?.program !== 'rehearse') {
    console.error(
      'usage: main.js rehearse [--program FILE] [--only SCENE] [--json] [--config FILE] [--debug]',
    )
    return exit.usage
  }
  const { given } = parsed
  const only = given.option('only')
  const chosen = scenes.filter(({ name }) => only === null || name === only)
  if (chosen.length === 0) {
    const known = scenes.map(({ name }) => name).join(', ')
    console.error(`outpool: there is no scene ${String(only)}\n  -> scenes: ${known}`)
    return exit.usage
  }
  try {
    const home = openHome()
    const { command, file: program } = findInstalledAgent(agent, {
      ...{ config: given.option('config'), command: given.option('program') },
    })
    if (program === null)
      throw new Error(`there is no program ${command}; name it under agents.${agent}.command in outpool.yaml`)
    const askedAt = performance.now()
    const installed = await agentNamed(agent).version({ command: program, args: [], env: {} })
    console.error(`outpool: rehearsing ${agent} ${installed} (${program}) against a stand-in; about a minute`)
    const startedAt = performance.now()
    const patience = Math.min(Math.max(patiencePerStart * (startedAt - askedAt), leastPatience), mostPatience)
    const results = await rehearse({
      ...{ program, expectations, scenes: chosen, patience },
      onProgress: (scene) => console.error(`outpool: ${scene}: done`),
    })
    const verdict: Verdict = {
      ...{ agent, version: installed, program, outpool: version(), at: new Date().toISOString() },
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
      results,
    }
    // A part of the expectations says too little about a version.
    if (only === null) writeVerdict(home, verdict)
    console.log(given.flag('json') ? JSON.stringify(verdict, null, 2) : formatVerdict(verdict))
    return shortfalls(verdict).length === 0 ? exit.held : exit.fellShort
  } catch (error) {
    return report(error, given.flag('debug'))
  }
}

function report(error: unknown, debug: boolean): number {
  if (debug) console.error(error)
  else if (error instanceof ConfigError) console.error(error.report)
  else console.error(`outpool: ${messageOf(error)}`)
  return error instanceof ConfigError || error instanceof HomeError ? exit.usage : exit.fellShort
}

for (const stream of [process.stdout, process.stderr]) {
  // The program that reads our output may have ended, which is no reason to leave behind what was started.
  stream.on('error', () => undefined)
  // What a scene has read on the program's screen is printed too.
  printOnlyText(stream, false)
}

process.exit(await main())
