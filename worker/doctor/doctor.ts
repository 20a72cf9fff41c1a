/** `outpool doctor`: checks everything that Outpool needs on this host, and says how to fix each problem. */
import { accountAgent, readDomains } from '../../host/identity/failureDomains.js'
import type { AgentCommand, Place } from '../../agents/adapter/place.js'
import type { AgentExaminer } from '../../agents/adapter/examiner.js'
import { examinerOf } from '../../agents/index.js'
import { colorsFor } from '../../config/colors.js'
import type { AccountConfig, Config } from '../../config/config.js'
import { programEnvironment } from '../../config/environment.js'
import { cacheFolder, type Home } from '../../config/state/home.js'
import { resolveEnv } from '../../config/secrets/resolve.js'
import { engineRetention, type Retention } from '../../policy/retention.js'
import { findEngine } from '../engine/index.js'
import { checkClock, checkZones } from './clock.js'
import {
  checkConfigDir,
  checkConfigFile,
  checkEnvironment,
  checkMachineSettings,
  checkSettings,
  loadForDoctor,
} from './configuration.js'
import { checkDatabase } from './database.js'
import { differences } from './differences.js'
import { checkSockets, checkSpace, checkWatching } from './disk.js'
import { checkDrill } from './drills.js'
import { checkEngine, checkPorts } from './engine.js'
import { type Finding, warn } from './finding.js'
import { checkIndependence, checkDuplicates, checkLogin } from './logins.js'
import { checkOpenFiles } from './openFiles.js'
import { checkOtherUsers } from './otherUsers.js'
import { checkPanes } from './panes.js'
import { render } from './print.js'
import { checkProjects } from './projects.js'
import { checkAgent, checkNode, checkPython, checkTmux } from './programs.js'
import { type Check, runChecks } from './runChecks.js'
import { checkWorker } from './running.js'
import { checkSealKeys } from './sealKeys.js'
import { checkServices } from './services.js'
import { checkTask } from './tasks.js'

export interface Doctor {
  home: Home
  /** As `loadConfig` takes it. */
  source: { path?: string }
  /** A JSON array of findings instead of lines for a person. */
  json: boolean
}

/**
 * Time limits of checks that only read files, and of checks that use programs or the network. Milliseconds. They only end a
 * check that hangs: on a host whose cores are all busy, an agent program takes ten times as long to start.
 */
const quick = 20_000
const slow = 60_000

/** Prints the findings. True if no check failed; warnings are allowed. Does not throw for what it finds. */
export async function doctor({ home, source, json }: Doctor): Promise<boolean> {
  const { env } = process
  const { config, findings } = loadForDoctor(source)
  const found = await runChecks([
    ...programChecks(config, env, home),
    { name: 'configuration', within: quick, run: () => Promise.resolve(findings) },
    ...(config === null ? [] : accountChecks(config, env)),
    ...(config === null || config.services.length === 0
      ? []
      : [check('services', quick, () => checkServices(home, config))]),
    ...(config?.tasks ?? []).map((task) => check(`task ${task.name}`, slow, () => checkTask(task, env))),
    ...(config === null ? [] : [check('projects', quick, () => checkProjects(home, config))]),
    ...(config === null ? [] : [check('drill', quick, () => checkDrill(home, config.drill, Date.now()))]),
    ...engineChecks(home, env, config?.keep ?? engineRetention),
    check('sealing keys', slow, () => checkSealKeys(home, env, config?.pool.name ?? null)),
    ...hostChecks(home, env),
  ])
  console.log(json ? JSON.stringify(found, null, 2) : render(found, colorsFor(process.stdout, env)))
  return found.every(({ state }) => state !== 'fail')
}

function programChecks(config: Config | null, env: NodeJS.ProcessEnv, home: Home): Check[] {
  const agents = Object.entries(config?.agents ?? {})
  const baseEnv = config === null ? {} : programEnvironment(config, env)
  const skipped = warn(
    'accounts',
    'agents, logins and law 1 were not checked, since the configuration cannot be used',
    'Correct the configuration, then run `outpool doctor` again.',
  )
  return [
    check('node', quick, () => checkNode(process.versions.node)),
    check('tmux', slow, () => checkTmux(env)),
    ...agents.map(([name, agent]) =>
      check(`agent ${name}`, slow, () => checkAgent(name, agent, { home, baseEnv })),
    ),
    ...(config === null ? [check('accounts', quick, () => skipped)] : []),
  ]
}

function accountChecks(config: Config, env: NodeJS.ProcessEnv): Check[] {
  const agent = config.agents[accountAgent]
  const examiner = examinerOf(accountAgent)
  if (agent === undefined || examiner === null) return []
  const { pool, reserved } = config
  const all = [...pool.accounts, ...reserved]
  const domains = readDomains(config)
  const command = async () => ({
    ...agent,
    env: await resolveEnv(agent.env),
    baseEnv: programEnvironment(config, env),
  })
  return [
    check('configuration', quick, () => checkConfigFile(config.file)),
    check('environment', quick, () => checkEnvironment(env, [[accountAgent, examiner]])),
    check(`settings ${accountAgent}`, quick, () => checkMachineSettings(accountAgent, examiner)),
    ...all.flatMap((account) => checksOf(account, command, examiner)),
    check('differences', quick, async () => {
      const inventories = pool.accounts.map(async (account) => ({
        name: account.name,
        inventory: await examiner.inventory(await placeOf(account)),
      }))
      return differences(await Promise.all(inventories))
    }),
    // Both wait for the same reading.
    check('logins', slow, async () => checkDuplicates(await domains)),
    check('law 1', slow, async () => checkIndependence(await domains)),
  ]
}

function checksOf(
  account: AccountConfig,
  command: () => Promise<AgentCommand>,
  examiner: AgentExaminer,
): Check[] {
  const { name } = account
  const uid = process.getuid?.() ?? null
  return [
    check(`config dir ${name}`, quick, async () => checkConfigDir(await placeOf(account), examiner, uid)),
    check(`settings ${name}`, slow, async () =>
      checkSettings(await placeOf(account), await command(), examiner),
    ),
    check(`login ${name}`, slow, async () => checkLogin(await placeOf(account), await command(), examiner)),
  ]
}

/** Throws SecretError. */
async function placeOf({ name, configDir, env }: AccountConfig): Promise<Place> {
  return { kind: 'account', name, configDir, env: await resolveEnv(env) }
}

function engineChecks(
  home: Home,
  env: NodeJS.ProcessEnv,
  { finished }: Pick<Retention, 'finished'>,
): Check[] {
  const choice = findEngine(env)
  // The first check reports a failure; the others then have nothing to report.
  const known = choice.catch(() => null)
  return [
    check('engine', slow, async () => checkEngine(await choice, home, env, finished)),
    check('python3', slow, async () => checkPython(await known, env)),
    check('ports', slow, async () => {
      const engine = await known
      return engine === null ? [] : checkPorts(engine, home)
    }),
  ]
}

function hostChecks(home: Home, env: NodeJS.ProcessEnv): Check[] {
  return [
    check('worker', quick, () => checkWorker(home, Date.now())),
    check('panes', quick, () => checkPanes(home)),
    check('other users', quick, () => checkOtherUsers(home, env)),
    check('files', quick, () => checkOpenFiles(home, cacheFolder(env))),
    check('disk of home', quick, () => checkSpace('home', home.dir)),
    check('disk of cache', quick, () => checkSpace('cache', cacheFolder(env))),
    check('database', slow, () => checkDatabase(home)),
    check('sockets', quick, () => checkSockets(home)),
    check('file watches', quick, () => checkWatching(home)),
    check('clock', quick, () => checkClock(home, Date.now)),
    check('time zones', quick, () => checkZones()),
  ]
}

type CheckFindings = Finding | Finding[]

/** A check with one finding or several, from a function or an async function. */
const check = (name: string, within: number, run: () => CheckFindings | Promise<CheckFindings>): Check => ({
  name,
  within,
  run: async () => [await run()].flat(),
})
