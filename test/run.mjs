// Runs a tier of the tests, and the static checks beside them: `node test/run.mjs fast`, `laws` (the default) or `nightly`.
// What each tier holds and costs is in docs/decisions/0012-test-tiers.md.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'

const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
/** Where npm would find the programs of packages: its own start costs more than a small check. */
const path = [fileURLToPath(new URL('../node_modules/.bin', import.meta.url)), process.env.PATH].join(
  delimiter,
)

const script = (name) => ({ name, command: scripts[name], env: {} })
const vitest = (projects, env = {}, ...paths) => ({
  name: `vitest: ${projects.join(', ')}`,
  command: ['vitest run', ...projects.map((project) => `--project ${project}`), ...paths].join(' '),
  env,
})

const units = ['policy', 'config', 'host', 'adapter', 'replay']
const laws = [...units, 'workflow', 'drain', 'server', 'agent']
const more = { OUTPOOL_NIGHTLY: '1', OUTPOOL_TEXTS: '500', OUTPOOL_WEEK_SEEDS: '4' }

/** By tier: the build, if its tests need one, and the tests, in order. */
const tiers = {
  fast: { builds: [], tests: [vitest(units, { OUTPOOL_DRAIN_SEEDS: '20' })] },
  laws: { builds: [script('build')], tests: [vitest(laws)] },
  nightly: {
    builds: [script('build')],
    tests: [
      vitest([...laws, 'nightly'], more),
      vitest(['policy'], { OUTPOOL_DRAIN_SEEDS: '10000' }, 'test/policy/drain'),
    ],
  },
}

/** The parts of `npm run check`, whatever they are today. */
const checks = scripts.check.split(' && ').map((part) => script(part.replace(/^npm run /, '')))

/** Runs a step to its end. The output of a step that runs beside the tests is shown when it has failed. */
function run({ name, command, env }, { isBeside }) {
  return new Promise((resolve) => {
    const began = performance.now()
    const stdio = isBeside ? ['ignore', 'pipe', 'pipe'] : 'inherit'
    // CI systems set `CI`, on which libraries decide about colours and more: tests behave the same without it.
    const child = spawn(command, { shell: true, stdio, env: { CI: '1', ...process.env, PATH: path, ...env } })
    // Tests that wait for real parts come first; a check has all the time of the tests.
    if (isBeside) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
    child.on('close', (code) => {
      if (code !== 0 && isBeside) console.error(`${name} failed:\n${output}`)
      resolve({ name, isGood: code === 0, seconds: (performance.now() - began) / 1000 })
    })
  })
}

/** One after the other, also after one that failed. */
async function inTurn(steps, options) {
  const results = []
  for (const step of steps) results.push(await run(step, options))
  return results
}

const areGood = (results) => results.every(({ isGood }) => isGood)

const wanted = process.argv[2] ?? 'laws'
const tier = tiers[wanted]
if (!tier) {
  console.error(`test/run.mjs: there is no tier ${wanted}; there are ${Object.keys(tiers).join(', ')}`)
  process.exit(2)
}
// Nothing runs beside the build: it replaces dist/, which tests run and a check reads.
const built = await inTurn(tier.builds, { isBeside: false })
const tests = areGood(built) ? tier.tests : []
const [tested, checked] = await Promise.all([
  inTurn(tests, { isBeside: false }),
  inTurn(checks, { isBeside: true }),
])
const results = [...built, ...tested, ...checked]
for (const { name, isGood, seconds } of results)
  console.log(`${isGood ? 'passed' : 'FAILED'} ${seconds.toFixed(0).padStart(4)} s  ${name}`)
process.exitCode = areGood(results) ? 0 : 1
