/** Where and how an agent program runs on this host. */
import type { Environment } from '../../policy/environment.js'

/** An account or substrate on this host, with everything that makes the agent program use it. */
export interface Place {
  kind: 'account' | 'substrate'
  name: string
  /** Real, absolute path. Holds login, settings and transcripts. */
  configDir: string
  /** Secrets are resolved in it, so it never leaves the host or gets into a log. */
  env: Record<string, string>
}

/** How to run the program at any place. */
export interface AgentCommand {
  command: string
  args: string[]
  env: Record<string, string>
  /** What every program gets; `env` and the place's come on top. Default: the usual variables of this process. */
  baseEnv?: Environment
}
