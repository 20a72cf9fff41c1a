/** Runs the command as a person does: a separate process, with a separate home. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const bin = fileURLToPath(new URL('../../dist/client/bin.js', import.meta.url))
/** The built command: `npm run build` comes first. */
export const outpool = [process.execPath, bin]

interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

export interface TestHome {
  dir: string
  /** The user's configuration. */
  config: string
  home: string
  env: NodeJS.ProcessEnv
  run(args: string[], more?: { env?: NodeJS.ProcessEnv; input?: string; cwd?: string }): Promise<CliResult>
  remove(): void
}

/** A HOME with two logins and a reserved one, and an outpool.yaml that names them. */
export function newTestHome(): TestHome {
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
  const env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: dir,
    TZ: 'UTC',
    OUTPOOL_HOME: join(dir, 'state'),
    TEMPORAL_CONFIG_FILE: '/dev/null',
  }
  return {
    ...{ dir, config },
    home: join(dir, 'state'),
    env,
    run: (args, more = {}) => runIn(more.cwd ?? dir, { ...env, ...more.env }, args, more.input ?? ''),
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
