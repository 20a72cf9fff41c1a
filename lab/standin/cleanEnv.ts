/** Environments in which tests run the agent program and Outpool itself: only PATH comes from the caller. */
import { chmodSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const pinned = fileURLToPath(new URL('../../node_modules/.bin/claude', import.meta.url))
/** The agent program itself, at the version that package.json pins. A package does not have it, and names its program. */
export const agentProgram = existsSync(pinned) ? realpathSync(pinned) : pinned

export interface AgentEnvOptions {
  /** Of the stand-in: `standIn.url`. */
  baseUrl: string
  /** `proxy.env`. Without it, requests to the program's fixed hosts go to a dead port on loopback. */
  proxyEnv?: Record<string, string>
}

export interface CleanEnvOptions extends AgentEnvOptions {
  /** A folder for this run; HOME, TMPDIR and the refusing programs go into it. */
  dir: string
  configDir?: string
  /** Usage, profile and the small requests at start; needed for `/usage`. Default false. */
  nonEssentialTraffic?: boolean
  /** Overrides everything else. */
  extra?: Record<string, string>
}

/**
 * Programs through which the agent program could reach a host or a keychain: these replacements only refuse. It asks npm several
 * times at each of its checks how it was installed, which costs more than the check.
 */
const refusing = ['ssh', 'security', 'curl', 'wget', 'gh', 'npm']

/** The environment of any process in a test: folders below `dir`, and only PATH from the caller. */
export function hostEnv(dir: string): Record<string, string> {
  const home = join(dir, 'home')
  const temp = join(dir, 'tmp')
  for (const folder of [home, temp]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  return {
    PATH: refusingPath(dir),
    HOME: home,
    TMPDIR: temp,
    TZ: 'UTC',
    LANG: 'C.UTF-8',
    SHELL: '/bin/bash',
    TERM: 'xterm-256color',
    // Git may read and write here, but not use the network.
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'file',
    GIT_CONFIG_NOSYSTEM: '1',
  }
}

/**
 * Makes the agent program talk to the stand-in alone; also for `agents.claude-code.env` of an `outpool.yaml`.
 */
export function agentEnv({ baseUrl, proxyEnv }: AgentEnvOptions): Record<string, string> {
  return {
    ANTHROPIC_BASE_URL: baseUrl,
    ...(proxyEnv ?? { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '127.0.0.1,localhost' }),
    DISABLE_AUTOUPDATER: '1',
    DISABLE_UPDATES: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL: '1',
  }
}

/**
 * An agent of a test runs for seconds, in which optimized code and parallel collectors cost more than they save: a third of its CPU.
 * Settings of its runtime, Bun's JavaScriptCore.
 */
export const shortLivedRuntime = {
  BUN_JSC_useDFGJIT: '0',
  BUN_JSC_useConcurrentJIT: '0',
  BUN_JSC_numberOfGCMarkers: '1',
}

/** The whole environment of an agent program that a test starts directly. */
export function cleanAgentEnv(options: CleanEnvOptions): Record<string, string> {
  return {
    ...hostEnv(options.dir),
    ...agentEnv(options),
    ...shortLivedRuntime,
    ...(options.nonEssentialTraffic ? {} : { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' }),
    ...(options.configDir === undefined ? {} : { CLAUDE_CONFIG_DIR: options.configDir }),
    ...options.extra,
  }
}

/** A folder whose `ssh` and the like refuse, to put first on PATH. */
/** The caller's PATH, behind a folder in `dir` with the programs that only refuse. */
export function refusingPath(dir: string): string {
  const folder = join(dir, 'refusing')
  mkdirSync(folder, { recursive: true })
  for (const name of refusing) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name}: refused in tests" >&2\nexit 255\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return [folder, process.env['PATH'] ?? '/usr/bin:/bin'].join(delimiter)
}
