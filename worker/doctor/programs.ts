/** The programs that Outpool runs, and whether their versions are new enough. */
import { execa } from 'execa'
import { examinerOf } from '../../agents/index.js'
import type { AgentConfig } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import type { Environment } from '../../policy/environment.js'
import { agentVersion } from '../../host/process/agentVersions.js'
import type { EngineChoice } from '../engine/index.js'
import { type Finding, fail, ok, warn } from './finding.js'
import { checkRehearsal } from './rehearsals.js'
import { reaches } from '../../policy/versions.js'

const leastNode = '20.19'
/** The first with `remain-on-exit-format` and with `respawn-pane` and `new-session` taking `-e`. */
const leastTmux = '3.2'

/** A program prints its version at once, on a busy machine within some seconds. Milliseconds. */
const answerWithin = 30_000

export const checkNode = (version: string): Finding =>
  reaches(version, leastNode)
    ? ok('node', version)
    : fail('node', `${version} is too old: ${leastNode} or newer is needed`, 'Install a newer Node.js.')

export async function checkTmux(env: NodeJS.ProcessEnv): Promise<Finding> {
  const answer = await execa('tmux', ['-V'], {
    ...{ env, extendEnv: false, reject: false, timeout: answerWithin, stdin: 'ignore' },
  })
  const remedy = `Install tmux ${leastTmux} or newer, for instance with your system's packages, so that it is on the PATH.`
  if (answer.code === 'ENOENT') return fail('tmux', 'there is no tmux on the PATH', remedy)
  const line = answer.stdout.trim()
  if (answer.failed) return fail('tmux', `tmux -V failed: ${answer.stderr || answer.shortMessage}`, remedy)
  const version = line.replace(/^tmux\s+/, '')
  // Built from a development tree: newer than every release, and without a number.
  if (version === 'master') return ok('tmux', version)
  return reaches(version, leastTmux)
    ? ok('tmux', version)
    : fail('tmux', `"${line}" is too old: ${leastTmux} or newer is needed`, remedy)
}

/** Throws AgentProgramError, UnknownAgentError or SecretError. */
export async function checkAgent(
  name: string,
  agent: AgentConfig,
  { home, baseEnv }: { home: Home; baseEnv: Environment },
): Promise<Finding[]> {
  const what = `agent ${name}`
  const { command } = agent
  const version = await agentVersion(name, agent, baseEnv)
  const least = examinerOf(name)?.minimumVersion ?? null
  const age =
    least === null || reaches(version, least.version)
      ? ok(what, `${version} (${command})`)
      : warn(what, `${version} (${command}) is older than ${least.version}: ${least.lacks}`, least.remedy)
  return [age, checkRehearsal(home, name, version)]
}

/** Python is checked only if the engine may have to be installed from PyPI. */
export async function checkPython(choice: EngineChoice | null, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  if (choice?.kind !== 'embedded' || choice.program !== null) return []
  const name = 'python3'
  const remedy =
    "Only needed if Temporal's download cannot be reached from here: then install Python 3 with venv."
  const answer = await execa(
    'python3',
    ['-c', 'import ensurepip, sys, venv; print(sys.version.split()[0])'],
    {
      ...{ env, extendEnv: false, reject: false, timeout: answerWithin, stdin: 'ignore' },
    },
  )
  if (answer.code === 'ENOENT')
    return [warn(name, 'is not installed, so the engine cannot be installed from PyPI', remedy)]
  if (answer.failed) return [warn(name, 'lacks venv, so the engine cannot be installed from PyPI', remedy)]
  return [ok(name, `${answer.stdout.trim()} with venv, in case the engine has to be installed from PyPI`)]
}
