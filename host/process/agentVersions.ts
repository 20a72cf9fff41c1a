/** The versions of the installed agent programs. A program is asked only when it may be another one than before. */
import { agentNamed } from '../../agents/index.js'
import type { AgentConfig } from '../../config/config.js'
import { resolveEnv } from '../../config/secrets/resolve.js'
import type { Environment } from '../../policy/environment.js'
import { programFingerprint } from './agentProgram.js'

/** The file of a program shows whether it has changed, unless it is a script that starts another one. Milliseconds. */
const askAgainAfter = 600_000

/** Throws AgentProgramError, UnknownAgentError or SecretError. */
export async function agentVersion(
  name: string,
  { command, args, env }: Pick<AgentConfig, 'command' | 'args' | 'env'>,
  baseEnv: Environment,
): Promise<string> {
  return agentNamed(name).version({ command, args, env: await resolveEnv(env), baseEnv })
}

interface SeenVersion {
  fingerprint: string
  /** By the monotonic clock, in milliseconds. */
  askedAt: number
  /** Null if the program could not be run. */
  version: Promise<string | null>
}

export class AgentVersions {
  readonly #seen = new Map<string, SeenVersion>()

  /** Null if the program can't be run, which is said where it is launched. `cwd`: from where a relative path counts. */
  async of(
    name: string,
    agent: AgentConfig,
    env: Record<string, string>,
    cwd: string,
  ): Promise<string | null> {
    const fingerprint = await programFingerprint(agent.command, env['PATH'] ?? '', cwd)
    const seen = this.#seen.get(name)
    const askedAt = performance.now()
    if (seen?.fingerprint === fingerprint && askedAt - seen.askedAt < askAgainAfter) return seen.version
    const version = agentVersion(name, agent, env).catch(() => null)
    this.#seen.set(name, { fingerprint, askedAt, version })
    return version
  }
}
