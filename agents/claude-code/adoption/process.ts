/** Recognises any process of the program, also one that Outpool did not start, by the state file that the program writes for its process id. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { parseJsonAs } from '../../../policy/parseJson.js'
import type { ProgramProcess, SystemProcess } from '../../adapter/adopter.js'
import type { Place } from '../../adapter/place.js'
import { readLiveStates } from '../liveness.js'
import { liveFolder, resolveRealPath } from '../paths.js'
import { isPrintMode } from './options.js'

const stateSchema = z.looseObject({
  kind: z.string().optional().catch(undefined),
  startedAt: z.number().positive().max(8.64e15).optional().catch(undefined),
})

export async function identify({ pid, argv, env }: SystemProcess): Promise<ProgramProcess | null> {
  const configDir = resolveRealPath(env['CLAUDE_CONFIG_DIR'] || join(env['HOME'] ?? homedir(), '.claude'))
  const place: Place = { kind: 'account', name: configDir, configDir, env: {} }
  const [live = null] = await readLiveStates(place, { pids: [pid] })
  if (live === null && !isProgram(argv)) return null
  const state = live === null ? null : readState(join(liveFolder(place), `${pid}.json`))
  return {
    configDir,
    live,
    startedAt: state?.startedAt === undefined ? null : new Date(state.startedAt).toISOString(),
    isInteractive: !isPrintMode(argv) && (state?.kind ?? 'interactive') === 'interactive',
    // The program marks what it starts, and keeps no conversation for what it finds marked.
    isStartedByAgent: live === null && env['CLAUDE_CODE_CHILD_SESSION'] === '1',
    outpoolSession: env['OUTPOOL_SESSION'] ?? null,
  }
}

/** Whether the command line is that of the program, installed as a native binary or as a script for Node. */
const isProgram = ([program = '', script = '']: readonly string[]): boolean =>
  /^claude(?:\.exe)?$/.test(basename(program)) ||
  (basename(program) === 'node' && /\/(?:claude-code\/cli\.js|bin\/claude)$/.test(script))

function readState(file: string): z.output<typeof stateSchema> | null {
  try {
    return parseJsonAs(readFileSync(file, 'utf8'), stateSchema)
  } catch {
    return null
  }
}
