/** A made-up host with made-up logins, for `outpool doctor`. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach } from 'vitest'
import { stringify } from 'yaml'
import { z } from 'zod'
import { type Home, openHome } from '../../config/state/home.js'
import { StandInAccount } from '../../lab/standin/account.js'
import { agentProgram, cleanAgentEnv } from '../../lab/standin/cleanEnv.js'
import { makeLogin } from '../../lab/standin/logins.js'

const entry = fileURLToPath(new URL('../../dist/worker/main.js', import.meta.url))

const findingsSchema = z.array(
  z.strictObject({
    name: z.string(),
    state: z.enum(['ok', 'warn', 'fail']),
    found: z.string(),
    remedy: z.string().nullable(),
  }),
)
type Findings = z.output<typeof findingsSchema>

/** The host of one test. */
class DoctorHost {
  readonly dir = mkdtempSync(join(tmpdir(), 'outpool-doctor-'))
  readonly env: Record<string, string> = {
    // A dead port: the login is checked without any network.
    ...cleanAgentEnv({ dir: this.dir, baseUrl: 'http://127.0.0.1:9' }),
    TEMPORAL_CONFIG_FILE: '/dev/null',
    OUTPOOL_HOME: join(this.dir, 'state'),
    OUTPOOL_CONFIG: join(this.dir, 'outpool.yaml'),
    XDG_CACHE_HOME: join(this.dir, 'cache'),
  }

  constructor() {
    delete this.env['ANTHROPIC_BASE_URL']
  }

  get home(): Home {
    return openHome(this.env)
  }

  loginDir(name: string): string {
    return join(this.dir, 'logins', name)
  }

  /** A config dir logged in as `as`; two with the same `as` are one login twice. */
  login(name: string, as = name, settings?: Record<string, unknown>): void {
    makeLogin(this.loginDir(name), new StandInAccount(as), settings === undefined ? {} : { settings })
  }

  configure({
    pool = ['max-1', 'max-2'],
    reserved = ['medic'],
    ...more
  }: {
    pool?: string[]
    reserved?: string[]
    agents?: Record<string, unknown>
  } = {}): void {
    const entryOf = (name: string) => ({ name, configDir: this.loginDir(name) })
    const config = {
      pool: { name: 'main', accounts: pool.map(entryOf) },
      reserved: reserved.map(entryOf),
      agents: { 'claude-code': { command: agentProgram } },
      ...more,
    }
    writeFileSync(join(this.dir, 'outpool.yaml'), stringify(config), { mode: 0o600 })
  }

  beHealthy(): void {
    for (const name of ['max-1', 'max-2', 'medic']) this.login(name)
    this.configure()
  }

  /** As `beHealthy`, with one login only: each costs two starts of the agent program. */
  beHealthyAndSmall(): void {
    this.login('max-1')
    this.configure({ pool: ['max-1'], reserved: [] })
  }

  /** A program with this name, first on the PATH. */
  program(name: string, text: string): string {
    const folder = join(this.dir, 'bin')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, name), text, { mode: 0o755 })
    this.env['PATH'] = `${folder}:${this.env['PATH'] ?? ''}`
    return join(folder, name)
  }

  run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [entry, 'doctor', ...args], {
        ...{
          env: this.env,
          cwd: this.dir,
          stdio: ['ignore', 'pipe', 'pipe'],
          timeout: 180_000,
          killSignal: 'SIGKILL' as const,
        },
      })
      let [stdout, stderr] = ['', '']
      child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
      child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
      child.once('error', reject)
      child.once('close', (code) => resolve({ code, stdout, stderr }))
    })
  }

  async examine(): Promise<{ code: number | null; findings: Findings }> {
    const { code, stdout, stderr } = await this.run('--json')
    try {
      return { code, findings: findingsSchema.parse(JSON.parse(stdout)) }
    } catch {
      throw new Error(`no findings; exit ${String(code)}\n${stdout}\n${stderr}`)
    }
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A new host for each test of the file: call the result for the present one. */
export function useDoctorHost(): () => DoctorHost {
  let host: DoctorHost
  beforeEach(() => {
    host = new DoctorHost()
  })
  afterEach(() => host.remove())
  return () => host
}

export const named = (findings: Findings, name: string): Findings =>
  findings.filter((one) => one.name === name)
export const failures = (findings: Findings): string[] =>
  findings.filter(({ state }) => state === 'fail').map(({ name }) => name)
