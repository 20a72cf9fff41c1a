/** The program's environment: what every program gets, without variables that would change its login or behaviour. */
import { type Environment, passedEnvironment } from '../../../policy/environment.js'
import type { LaunchInput } from '../../adapter/launch.js'
import type { AgentCommand, Place } from '../../adapter/place.js'
import { isDefaultSetup } from '../paths.js'

/** From which the environment is derived, unless a caller has its own. */
export const baseOf = ({ baseEnv }: AgentCommand): Environment => baseEnv ?? passedEnvironment(process.env)

/**
 * Variables that an agent must not see, even if the configuration passes them on: other logins and switches of the program, marks of the session from which
 * the worker was started (with an inherited CLAUDE_CODE_CHILD_SESSION no transcript is written), the worker's own settings and
 * secrets, its terminal, and variables that its service manager meant for the worker alone.
 */
const withheld = [
  /^CLAUDE/,
  /^ANTHROPIC_/,
  /^OUTPOOL_/,
  /^TEMPORAL_/,
  /^TMUX/,
  /^npm_/i,
  /^(NODE_OPTIONS|BUN_OPTIONS|INIT_CWD|AI_AGENT)$/,
  /^(AWS_BEARER_TOKEN_BEDROCK|CLOUD_ML_REGION|VERTEX_REGION_.*)$/,
  /^(API_TIMEOUT_MS|MAX_THINKING_TOKENS|IS_DEMO)$/,
  /^(TERM|TERM_PROGRAM|TERM_PROGRAM_VERSION|COLUMNS|LINES)$/,
  /^(NOTIFY_SOCKET|WATCHDOG_PID|WATCHDOG_USEC|LISTEN_FDS|LISTEN_PID|LISTEN_FDNAMES|INVOCATION_ID)$/,
]

function cleanBase(base: Environment): Record<string, string> {
  const clean: Record<string, string> = {}
  for (const [name, value] of Object.entries(base))
    if (value !== undefined && !withheld.some((pattern) => pattern.test(name))) clean[name] = value
  return clean
}

/** For commands that need no place, such as `--version`. */
export const bareEnv = (command: AgentCommand): Record<string, string> => ({
  ...cleanBase(baseOf(command)),
  ...command.env,
  DISABLE_AUTOUPDATER: '1',
})

/** The environment that probes and sessions share. */
function placeEnv(base: Environment, place: Place, command: AgentCommand): Record<string, string> {
  const env: Record<string, string> = {
    ...cleanBase(base),
    ...command.env,
    ...place.env,
    // Reset times on the screen and in transcripts of older versions are in the time zone of the process.
    TZ: 'UTC',
    // A fleet stays on the version that its owner chose.
    DISABLE_AUTOUPDATER: '1',
    // Otherwise the first start in a new config dir runs ssh to look for plug-ins.
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
  }
  if (isDefaultSetup(place)) delete env['CLAUDE_CONFIG_DIR']
  else env['CLAUDE_CONFIG_DIR'] = place.configDir
  return env
}

/** The whole environment of a session's process. */
export function sessionEnv(input: LaunchInput): Record<string, string> {
  return {
    // Known to the terminfo of most systems, also with tmux before 3.2.
    TERM: 'screen-256color',
    COLORTERM: 'truecolor',
    ...placeEnv(input.baseEnv ?? baseOf(input.command), input.place, input.command),
    // Non-essential traffic costs a request at each start, and makes a resumed session open the limit menu before it sends the prompt.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    OUTPOOL_SESSION: input.session,
    OUTPOOL_FENCE: String(input.fence),
  }
}

/** The whole environment of a probe. The usage endpoint counts as non-essential traffic, so that stays allowed. */
export function probeEnv(
  place: Place,
  command: AgentCommand,
  base: Environment = baseOf(command),
): Record<string, string> {
  const env = placeEnv(base, place, command)
  delete env['CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC']
  return { ...env, DISABLE_TELEMETRY: '1', DISABLE_ERROR_REPORTING: '1' }
}
