/** Runs the command with a separate home, by default as a person does: in a separate process. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from 'vitest'
import { builtCommand } from '../../lab/fleet.js'
import { refusingPath } from '../../lab/standin/cleanEnv.js'
import { WarmCommand } from '../../lab/machine/warmCommand.js'
import { type CliResult, type CommandRunner, definedOnly } from '../../lab/machine/runCommand.js'

/** The built command: `npm run build` comes first. */
export const outpool = [process.execPath, builtCommand]

/** For the homes of a file: their commands share a process that stays, and ends with the file. */
export function useWarmCommands(): CommandRunner {
  const commands = new WarmCommand(builtCommand)
  afterAll(() => commands.close())
  return commands
}

interface CommandOptions {
  env?: NodeJS.ProcessEnv
  /** Standard input; a command that has one runs in a process of its own. */
  input?: string
  cwd?: string
  /** In a process of its own in any case. Default: false. */
  isAlone?: boolean
}

export interface TestHome {
  dir: string
  /** The user's configuration. */
  config: string
  home: string
  env: Record<string, string>
  run(args: string[], options?: CommandOptions): Promise<CliResult>
  remove(): void
}

/**
 * A HOME with two logins and a reserved one, and an outpool.yaml that names them. `commands` runs its commands; by default each has a
 * process of its own.
 */
export function newTestHome(commands?: CommandRunner): TestHome {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'outpool-client-')))
  for (const folder of ['.claude-max-1', '.claude-max-2', '.claude-medic', 'work', 'state'])
    mkdirSync(join(dir, folder))
  const config = join(dir, '.config', 'outpool', 'outpool.yaml')
  mkdirSync(dirname(config), { recursive: true })
  writeFileSync(
    config,
    `pool:
  accounts:
    - { name: max-1, configDir: ~/.claude-max-1 }
    - { name: max-2, configDir: ~/.claude-max-2, ceiling: 80% }
reserved:
  - { name: medic, configDir: ~/.claude-medic }
substrates:
  - { name: haiku-key, model: haiku }
`,
  )
  const env: Record<string, string> = {
    PATH: refusingPath(dir),
    HOME: dir,
    TZ: 'UTC',
    OUTPOOL_HOME: join(dir, 'state'),
    TEMPORAL_CONFIG_FILE: '/dev/null',
  }
  return {
    ...{ dir, config },
    home: join(dir, 'state'),
    env,
    run: (args, options = {}) => {
      const place = { cwd: options.cwd ?? dir, env: definedOnly({ ...env, ...options.env }) }
      const isAlone = options.isAlone === true || options.input !== undefined
      if (commands !== undefined && !isAlone) return commands.run(args, place)
      return runIn(place.cwd, place.env, args, options.input ?? '')
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

function runIn(cwd: string, env: NodeJS.ProcessEnv, args: string[], input: string): Promise<CliResult> {
  const [program = '', ...before] = outpool
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...before, ...args], { cwd, env })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
    child.stdin.on('error', () => undefined).end(input)
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}
