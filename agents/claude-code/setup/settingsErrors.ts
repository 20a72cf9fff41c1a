/**
 * What the installed program itself has against the settings of a place: `claude doctor` reads every settings file with its own
 * schema and lists what it can't use. No other copy of that schema exists outside of the program.
 */
import type { AgentCommand, Place } from '../../agent.js'
import type { ConfigurationConflict } from '../../examiner.js'
import { probeEnv } from '../launch/env.js'
import { runProgram } from '../program.js'

/** The heading of the list; each entry is `- FILE › KEY: what is wrong`. */
const heading = 'Invalid settings'
const entry = /^- (.+?) › ([^:]+): (.+)$/
/** Entries without a key are about the whole file. */
const wholeFile = /^- (\/.+?|~\/.+?): (.+)$/

/** What was skipped alone opens a page that decides nothing, and sessions go past it. */
const skipped = /\bwas (?:ignored|skipped)\b/

/** An entry may list every value that would do. */
const whatMax = 200

/** `files` are those of the place alone; what a project sets is not looked at here. Throws AgentProgramError. */
export async function settingsErrors(place: Place, command: AgentCommand): Promise<ConfigurationConflict[]> {
  // Looking for a newer version is not needed here, and would take the network.
  const env = {
    ...probeEnv(process.env, place, command),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  }
  const { stdout } = await runProgram(command, ['doctor'], env, place.configDir)
  return parseSettingsErrors(stdout)
}

/** Takes what `claude doctor` prints. */
function parseSettingsErrors(report: string): ConfigurationConflict[] {
  const lines = report.split('\n')
  const start = lines.indexOf(heading)
  if (start < 0) return []
  const end = lines.indexOf('', start)
  return lines.slice(start + 1, end < 0 ? undefined : end).flatMap((line) => {
    const [, file, key, what] = entry.exec(line) ?? []
    if (file !== undefined && key !== undefined && what !== undefined) return [settingsError(file, key, what)]
    const [, whole, why] = wholeFile.exec(line) ?? []
    return whole !== undefined && why !== undefined ? [settingsError(whole, null, why)] : []
  })
}

function settingsError(file: string, key: string | null, what: string): ConfigurationConflict {
  const said = what.length > whatMax ? `${what.slice(0, whatMax - 1)}…` : what
  const named = key === null ? file : `${key} in ${file}`
  if (skipped.test(what))
    return {
      state: 'warn',
      what: `${named}: ${said}`,
      remedy: `Take it out of ${file}, or write it as the installed program knows it.`,
    }
  return {
    state: 'fail',
    what: `${named}: ${said}; the program passes over the whole file and opens a page about it at each start`,
    unusableFile: file,
    remedy: `Put ${file} right; until then sessions are started under other accounts.`,
  }
}
