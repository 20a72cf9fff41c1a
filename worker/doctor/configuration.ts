/** The configuration and what surrounds the accounts it names: folders, settings, variables. */
import { stat } from 'node:fs/promises'
import type { AgentCommand, Place } from '../../agents/adapter/place.js'
import { AgentProgramError } from '../../agents/errors.js'
import type { AgentExaminer, ConfigurationConflict } from '../../agents/adapter/examiner.js'
import type { Config } from '../../config/config.js'
import { ConfigError } from '../../config/errors.js'
import { loadConfig } from '../../config/load/load.js'
import { type Finding, fail, failed, ok, warn } from './finding.js'

const name = 'configuration'

export interface LoadedConfig {
  /** Null if it cannot be used. */
  config: Config | null
  /** Every issue, or one line that says that there is none. */
  findings: Finding[]
}

export function loadForDoctor(source: { path?: string }): LoadedConfig {
  try {
    const config = loadConfig(source)
    return { config, findings: [ok(name, `${config.file}: ${contents(config)}`)] }
  } catch (error) {
    if (!(error instanceof ConfigError)) return { config: null, findings: [failed(name, error)] }
    const findings = error.issues.map(({ file, line, column, problem, remedy }) => {
      const place = [file, line, column].filter((part) => part !== null).join(':')
      return fail(name, `${place}: ${problem}`, remedy)
    })
    return { config: null, findings }
  }
}

function contents({ pool, reserved, substrates }: Config): string {
  const accounts = pool.accounts.length
  return `pool ${pool.name} of ${accounts}, ${reserved.length} reserved, ${substrates.length} substrates`
}

/** Anyone who can write the file decides which programs run as this user. */
export async function checkConfigFile(file: string): Promise<Finding[]> {
  const { mode } = await stat(file)
  return (mode & othersWrite) === 0
    ? []
    : [warn(name, `${file} can be written by other users`, `chmod go-w ${file}`)]
}

const othersWrite = 0o022
const othersAny = 0o077

/** Whether the folder belongs to this user, and its private files are private. */
export async function checkConfigDir(
  place: Place,
  examiner: AgentExaminer,
  uid: number | null,
): Promise<Finding[]> {
  const what = `config dir ${place.name}`
  const folder = await stat(place.configDir)
  const findings: Finding[] = []
  if (uid !== null && uid !== 0 && folder.uid !== uid)
    findings.push(
      fail(
        what,
        `${place.configDir} belongs to another user`,
        `Log in with a config dir that you own instead.`,
      ),
    )
  if ((folder.mode & othersWrite) !== 0)
    findings.push(
      fail(what, `${place.configDir} can be written by other users`, `chmod go-w ${place.configDir}`),
    )
  for (const file of examiner.privateFiles(place)) {
    const found = await stat(file).catch(() => null)
    if (found !== null && (found.mode & othersAny) !== 0)
      findings.push(warn(what, `${file} can be read by other users`, `chmod 600 ${file}`))
  }
  return findings.length > 0 ? findings : [ok(what, place.configDir)]
}

/** Settings of the account's config dir and env that would break Outpool or that its program can't use. */
export async function checkSettings(
  place: Place,
  command: AgentCommand,
  examiner: AgentExaminer,
): Promise<Finding[]> {
  const conflicts = await examiner.configurationConflicts(place, command)
  const errors = await examiner
    .settingsErrors(place, command)
    .catch((error: unknown): ConfigurationConflict[] => {
      // Another check reports a program that can't be run.
      if (error instanceof AgentProgramError) return []
      throw error
    })
  // For an unusable file, the program's own error also names the place in it.
  const isReported = ({ unusableFile: unusable }: ConfigurationConflict): boolean =>
    unusable !== undefined && errors.some((error) => error.unusableFile === unusable)
  const found = [...conflicts.filter((one) => !isReported(one)), ...errors]
  return found.map(({ state, what, remedy }) => ({
    ...{ name: `settings ${place.name}`, state, found: what, remedy },
  }))
}

export async function checkMachineSettings(agent: string, examiner: AgentExaminer): Promise<Finding[]> {
  const found = await examiner.machineConflicts()
  return found.map(({ state, what, remedy }) => ({ name: `settings ${agent}`, state, found: what, remedy }))
}

export function checkEnvironment(
  env: NodeJS.ProcessEnv,
  examiners: readonly (readonly [agent: string, AgentExaminer])[],
): Finding[] {
  const what = 'environment'
  const findings = examiners.flatMap(([agent, examiner]) => {
    const names = examiner.withheldVariables(env)
    if (names.length === 0) return []
    return [
      warn(
        what,
        `${names.join(', ')} set here, but not passed to sessions: each uses its account's own login`,
        `To pass it to sessions, set it under env of an account or of agents.${agent} in outpool.yaml.`,
      ),
    ]
  })
  // The engine's library sends even calls to this machine through such a proxy.
  const proxy = ['grpc_proxy', 'https_proxy', 'http_proxy'].find((one) => (env[one] ?? '') !== '')
  const spared = (env['no_grpc_proxy'] ?? env['no_proxy'] ?? '').split(',').map((host) => host.trim())
  if (proxy !== undefined && !spared.includes('127.0.0.1'))
    findings.push(
      warn(
        what,
        `${proxy} is set and no_proxy lacks 127.0.0.1: calls to the engine may go to the proxy`,
        'export no_proxy="127.0.0.1,localhost,$no_proxy"',
      ),
    )
  return findings.length > 0 ? findings : [ok(what, 'no variable is set that would interfere')]
}
