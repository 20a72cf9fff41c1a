/**
 * Errors that the installed program reports in the settings of a place: `claude doctor` checks every settings file against its
 * schema, of which there is no copy outside of the program.
 */
import type { AgentCommand, Place } from '../../adapter/place.js'
import type { ConfigurationConflict } from '../../adapter/examiner.js'
import { probeEnv } from '../launch/env.js'
import { runProgram } from '../program.js'

/** The heading of the list; each entry is `- FILE › KEY: what is wrong`. */
const heading = 'Invalid settings'
const entry = /^- (.+?) › ([^:]+): (.+)$/
/** Entries without a key are about the whole file. */
const wholeFile = /^- (\/.+?|~\/.+?): (.+)$/

/** Skipped settings only open a page that decides nothing, which Outpool closes. */
const skipped = /\bwas (?:ignored|skipped)\b/

/** An entry may list every valid value. */
const whatMax = 200

/** Only for the place's own files, not for those of projects. Throws AgentProgramError. */
export async function settingsErrors(place: Place, command: AgentCommand): Promise<ConfigurationConflict[]> {
  // Otherwise the program would look for a newer version on the network.
  const env = {
    ...probeEnv(place, command),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  }
  const { stdout } = await runProgram(command, ['doctor'], env, place.configDir)
  return parseSettingsErrors(stdout)
}

/** `report`: the output of `claude doctor`. */
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
      remedy: `Remove it from ${file}, or correct it for the installed version.`,
    }
  return {
    state: 'fail',
    what: `${named}: ${said}; the program ignores the whole file and opens a page about it at each start`,
    unusableFile: file,
    remedy: `Repair ${file}; until then sessions start on other accounts.`,
  }
}
