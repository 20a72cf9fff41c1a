/**
 * The candidates that are compared: how each is installed and started, and how it shows that it has seen the
 * wall.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import { type PeerSetup, useInHome } from './setup.js'

interface CandidateWatch {
  /** Processes whose CPU is counted. */
  pids: number[]
  /** Whether it has noticed the wall by now, by its own output. */
  noticed: () => boolean
}

export interface Candidate {
  name: string
  description: string
  /** What it is not built to do. */
  notFor: string
  /** Returns its version. Throws if it cannot be installed. `folder` is its own, and empty. */
  install: (folder: string) => string
  /**
   * Time between two of its checks; the wall then comes half-way between two, so that what is measured is its
   * mean.
   */
  checkEvery?: number
  /**
   * It goes on at the reset and not before: for this candidate the reset comes after minutes, for the others
   * after hours.
   */
  waits?: boolean
  /** Knows only one login, that of HOME. */
  inHome?: boolean
  /** The pane exists already, with the agent at rest in it. */
  watch: (testPool: PeerSetup, folder: string, pane: string) => CandidateWatch
}

const loop = fileURLToPath(new URL('loop.sh', import.meta.url))

export const candidates: Candidate[] = [
  {
    name: 'nothing',
    waits: true,
    description: 'the agent program alone, with its own auto-continue',
    notFor: 'other accounts',
    install: () => execFileSync(agentProgram, ['--version'], { encoding: 'utf8' }).trim(),
    watch: (testPool) => ({ pids: [], noticed: () => /hit your .*limit/i.test(testPool.screen()) }),
  },
  {
    name: 'loop',
    description: 'a shell loop that checks once a minute',
    notFor: 'crashes, several sessions at once, knowing whether the next account has room',
    install: () => '19 lines, bench/peers/loop.sh',
    checkEvery: 60_000,
    watch: (testPool, _folder, pane) => {
      const [here, next] = testPool.logins
      const { pid, said } = testPool.keep(loop, [pane, here.configDir, next.configDir, 'claude'])
      return { pids: [pid], noticed: () => said().includes('walled') }
    },
  },
  {
    name: 'claudekeeper',
    waits: true,
    description: 'claudekeeper (PyPI): watches panes, waits for the reset, types a text',
    notFor: 'other accounts: it waits for the reset of this one',
    install: (folder) => fromPyPI(folder, 'claudekeeper'),
    checkEvery: 30_000,
    watch: (testPool, folder) => {
      const home = join(testPool.dir, 'claudekeeper')
      const program = join(folder, 'bin', 'claudekeeper')
      testPool.run(program, ['watch', 'on'], { CLAUDEKEEPER_HOME: home })
      const { pid } = testPool.keep(program, ['daemon'], { CLAUDEKEEPER_HOME: home })
      const log = join(home, 'claudekeeper.log')
      return {
        pids: [pid],
        noticed: () => existsSync(log) && /real cap|limit modal/.test(readFileSync(log, 'utf8')),
      }
    },
  },
  {
    name: 'claude-swap',
    description: 'claude-swap (PyPI), `cswap auto`: changes the login of HOME when its usage nears the limit',
    notFor: 'going on: the session waits for a next message; one login for all sessions',
    install: (folder) => fromPyPI(folder, 'claude-swap'),
    checkEvery: 60_000,
    inHome: true,
    watch: (testPool, folder) => {
      const program = join(folder, 'bin', 'cswap')
      testPool.run(program, ['add'])
      useInHome(testPool, 1)
      testPool.run(program, ['add'])
      testPool.run(program, ['switch', '1'])
      const { pid, said } = testPool.keep(program, ['auto', '--json'], { PYTHONUNBUFFERED: '1' })
      return { pids: [pid], noticed: () => /"event": ?"switch/.test(said()) }
    },
  },
]

/** The first that is new enough for all of them. PEERS_PYTHON names another one. */
function python(): string {
  const named = process.env['PEERS_PYTHON']
  const found = [named, 'python3.13', 'python3.12', 'python3'].find((one) => {
    if (one === undefined) return false
    try {
      execFileSync(one, ['-c', 'import sys; sys.exit(sys.version_info < (3, 12))'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })
  if (found === undefined)
    throw new Error('it needs Python 3.12 or newer; name one with PEERS_PYTHON=/path/to/python3.12')
  return found
}

function fromPyPI(folder: string, name: string): string {
  const run = (program: string, ...args: string[]): string =>
    execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  run(python(), '-m', 'venv', folder)
  const pip = join(folder, 'bin', 'pip')
  run(pip, 'install', '--quiet', name)
  return /^Version: (\S+)/m.exec(run(pip, 'show', name))?.[1] ?? '?'
}
