/** Variables by which the program's behaviour or login depends on its environment. */

const ofProgram = [
  /^CLAUDE/,
  /^ANTHROPIC_/,
  /^(AWS_BEARER_TOKEN_BEDROCK|CLOUD_ML_REGION|VERTEX_REGION_.*)$/,
  /^(API_TIMEOUT_MS|MAX_THINKING_TOKENS)$/,
]

/** Set by the program itself for what it starts, by terminals and editors, or by each launch of Outpool. */
const ignored = [
  /^CLAUDECODE$/,
  /^CLAUDE_(?:CONFIG_DIR|PID|EFFORT)$/,
  /^CLAUDE_CODE_(?:CHILD_SESSION|SESSION_ID|ENTRYPOINT|SSE_PORT|MESSAGING_.*)$/,
  /^CLAUDE_CODE_DISABLE_(?:NONESSENTIAL_TRAFFIC|OFFICIAL_MARKETPLACE_AUTOINSTALL)$/,
]

export const lostVariables = (
  env: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string | null>>,
): string[] =>
  Object.entries(env)
    .filter(([name, value]) => {
      if (!ofProgram.some((pattern) => pattern.test(name))) return false
      if (ignored.some((pattern) => pattern.test(name))) return false
      const set = given[name]
      return set === undefined || (set !== null && set !== value)
    })
    .map(([name]) => name)
    .sort()
