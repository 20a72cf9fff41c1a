// `npm run rehearse:versions`: the rehearsal on three versions of the agent program, so that a change of the program is seen on the day
// it comes; `-- newest` on that one alone, as CI does (.github/workflows/rehearsal.yml). Each is installed into a folder that is removed
// again. Exits with 1 if one fell short of what is known of it. In a run of all three the newest may.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const name = '@anthropic-ai/claude-code'
const outpool = fileURLToPath(new URL('dist/client/bin.js', import.meta.url))

/** `doctor` warns of versions before this one: `minimumVersion` in agents/claude-code/setup/examine.ts. */
const oldest = '2.1.261'
/** What that one is known to do in another way, none of it essential. Anything else that it misses is a failure. */
const knownOfOldest = [
  'trust-page',
  'draft-scrolls',
  'draft-behind-history',
  'paste-envelope',
  'stash-key',
  'launch-prompt-rewritten',
  'stop-body',
  'cron-restored',
  'question-page',
]
const { devDependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
const newest = () => execFileSync('npm', ['view', name, 'version'], { encoding: 'utf8' }).trim()

const versions = {
  oldest: () => ({ version: oldest, known: knownOfOldest }),
  pinned: () => ({ version: devDependencies[name], known: [] }),
  newest: () => ({ version: newest(), known: [] }),
}

/** The names of what did not hold, without those that are known. Prints the table. */
function missed(version, known) {
  const folder = mkdtempSync(join(tmpdir(), 'outpool-version-'))
  try {
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
    const installed = spawnSync('npm', ['install', '--prefix', folder, ...quiet, `${name}@${version}`], {
      stdio: ['ignore', 2, 2],
    })
    const program = join(folder, 'node_modules/.bin/claude')
    if (installed.status !== 0 || !existsSync(program)) return ['its installation']
    const state = join(folder, 'state')
    spawnSync(process.execPath, [outpool, 'rehearse', '--program', program], {
      ...{ env: { ...process.env, OUTPOOL_HOME: state }, stdio: ['ignore', 'inherit', 'inherit'] },
    })
    const verdict = join(state, 'rehearsals', `claude-code-${version}.json`)
    if (!existsSync(verdict)) return ['its rehearsal']
    const { results } = JSON.parse(readFileSync(verdict, 'utf8'))
    return results.flatMap((one) => (one.outcome === 'held' || known.includes(one.name) ? [] : [one.name]))
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

const asked = process.argv.slice(2)
const unknown = asked.filter((what) => !Object.hasOwn(versions, what))
if (unknown.length > 0) {
  console.error(
    `rehearseVersions.mjs: there is no ${unknown.join(', ')}; there are ${Object.keys(versions).join(', ')}`,
  )
  process.exit(2)
}
/** What to rehearse, by version: the newest may be the pinned one. */
const due = new Map()
for (const what of asked.length > 0 ? asked : Object.keys(versions)) {
  const { version, known } = versions[what]()
  if (!due.has(version)) due.set(version, { what, known })
}

const failed = []
for (const [version, { what, known }] of due) {
  console.log(`\n${name} ${version} (${what})\n`)
  const names = missed(version, known)
  if (names.length === 0) continue
  const text = `${version} fell short: ${names.join(', ')}`
  if (what === 'newest' && due.size > 1) console.log(`\n${text}, which the newest version may.`)
  else failed.push(text)
}
for (const text of failed) console.error(`\n${text}`)
if (failed.length > 0) process.exitCode = 1
