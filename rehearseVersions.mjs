// `npm run rehearse:versions`: the rehearsal on three versions of the agent program, so that a change of the program is seen on the day
// it comes. Each is installed into a folder that is removed again. Exits with 1 if one fell short; the newest may.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const name = '@anthropic-ai/claude-code'
const outpool = fileURLToPath(new URL('dist/client/bin.js', import.meta.url))

/** `doctor` warns of versions before this one: `minimumVersion` in agents/claude-code/setup/examine.ts. */
const oldest = '2.1.261'
const { devDependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
const newest = execFileSync('npm', ['view', name, 'version'], { encoding: 'utf8' }).trim()

const versions = [
  { what: 'the oldest in use', version: oldest, mayFail: false },
  { what: 'pinned', version: devDependencies[name], mayFail: false },
  { what: 'the newest', version: newest, mayFail: true },
].filter(({ version }, index, all) => all.findIndex((one) => one.version === version) === index)

/** Whether every expectation held. Prints the table. */
function rehearse(version) {
  const folder = mkdtempSync(join(tmpdir(), 'outpool-version-'))
  try {
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
    const installed = spawnSync('npm', ['install', '--prefix', folder, ...quiet, `${name}@${version}`], {
      stdio: ['ignore', 2, 2],
    })
    const program = join(folder, 'node_modules/.bin/claude')
    if (installed.status !== 0 || !existsSync(program)) {
      console.log(`${name}@${version} could not be installed`)
      return false
    }
    const env = { ...process.env, OUTPOOL_HOME: join(folder, 'state') }
    const { status } = spawnSync(process.execPath, [outpool, 'rehearse', '--program', program], {
      ...{ env, stdio: ['ignore', 'inherit', 'inherit'] },
    })
    return status === 0
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

const failed = []
for (const { what, version, mayFail } of versions) {
  console.log(`\n${name} ${version} (${what})\n`)
  if (rehearse(version)) continue
  if (mayFail) console.log(`\n${version} fell short, which the newest version may.`)
  else failed.push(version)
}
if (failed.length > 0) {
  console.error(`\nFell short: ${failed.join(', ')}`)
  process.exitCode = 1
}
