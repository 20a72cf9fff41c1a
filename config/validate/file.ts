/**
 * What the schema cannot say: names that are taken, folders that are missing, agents that are not defined, law 1 by path, files that others
 * may write.
 * Reads the file as it was written and ignores what the schema already refused, so that all issues are reported at once.
 */
import { z } from 'zod'
import { type ConfigDir, type LoginEntry, checkFailureDomains } from './domains.js'
import type { UnlocatedIssue, Path } from '../load/positions.js'
import { openFiles } from '../load/namedFiles.js'
import { type PathBase, expandPath } from '../load/paths.js'
import { taskSessionName } from '../../policy/ids.js'
import { checkService, lenientService } from './services.js'
import { nearest } from './nearest.js'
import { realStore } from './realStore.js'
import { defaultCommands } from '../load/resolve.js'

const lenient = <S extends z.ZodRawShape>(shape: S) => z.object(shape).partial().optional().catch(undefined)
const maybeText = z.string().optional().catch(undefined)
const anything = z.unknown()

/** The program whose logins the accounts are. */
const accountAgent = 'claude-code'

const entry = lenient({
  ...{ name: maybeText, configDir: maybeText, agent: maybeText, env: anything },
  ...{ model: maybeText, budget: anything },
})
const entries = z.array(entry).catch([])

const lenientTask = lenient({
  ...{ name: maybeText, agent: maybeText },
  ...{ imap: anything, run: anything, prompt: anything, deliverTo: anything, cwd: anything, env: anything },
})

const lenientFile = lenient({
  pool: lenient({ accounts: entries }),
  reserved: entries,
  substrates: entries,
  reservedSubstrates: entries,
  agents: z.record(z.string(), lenient({ command: anything, env: anything })).catch({}),
  drill: lenient({ agent: maybeText }),
  notices: lenient({ to: z.array(lenient({ name: maybeText })).catch([]) }),
  prices: z.record(z.string(), anything).catch({}),
  tasks: z.array(lenientTask).catch([]),
  services: z.array(lenientService).catch([]),
})

interface PlaceEntry extends LoginEntry {
  configDir: string | undefined
}

export function checkFile(document: unknown, base: PathBase): UnlocatedIssue[] {
  const file = lenientFile.parse(document) ?? {}
  const agentEnv = (agent: string | undefined): unknown => file.agents?.[agent ?? accountAgent]?.env
  const placeEntries = (
    path: Path,
    what: `${string} ${'account' | 'substrate'}` | 'substrate',
    side: LoginEntry['side'],
    list: z.output<typeof entries> = [],
  ): PlaceEntry[] =>
    list.map((item, index) => ({
      ...{ path: [...path, index], what, side, kind: what.endsWith('account') ? 'account' : 'substrate' },
      ...{ name: item?.name, configDir: item?.configDir, env: item?.env, agentEnv: agentEnv(item?.agent) },
    }))
  const pool = placeEntries(['pool', 'accounts'], 'pool account', 'pool', file.pool?.accounts)
  const reserved = placeEntries(['reserved'], 'reserved account', 'healer', file.reserved)
  const substrates = placeEntries(['substrates'], 'substrate', 'pool', file.substrates)
  const reservedSubstrates = placeEntries(
    ['reservedSubstrates'],
    'reserved substrate',
    'healer',
    file.reservedSubstrates,
  )
  const logins = [...pool, ...substrates, ...reserved, ...reservedSubstrates]
  const tasks = file.tasks ?? []
  const services = file.services ?? []

  const envEntry = (
    path: Path,
    what: string,
    side: LoginEntry['side'],
    name?: string,
    env?: unknown,
  ): LoginEntry => ({
    // It comes on top of the login with which it runs, so only login variables in it count, as in the env under agents.
    ...{ path, what, side, kind: 'addition', name, env: undefined, agentEnv: env },
  })
  const envEntries = [
    ...tasks.map((item, i) => envEntry(['tasks', i], 'task', 'pool', item?.name, item?.env)),
    ...services.map((item, i) =>
      envEntry(['services', i, 'wakeUp'], 'wake-up of service', 'healer', item?.name, item?.wakeUp?.env),
    ),
  ]
  const missing: UnlocatedIssue[] = []
  const reservedDirs = reserved.flatMap((account) => readConfigDir(account, base, missing))
  const poolDirs = pool.flatMap((account) => readConfigDir(account, base, missing))

  const agentUses = [
    ...(['substrates', 'reservedSubstrates'] as const).flatMap((list) =>
      (file[list] ?? []).map((item, i) => ({ agent: item?.agent, path: [list, i, 'agent'] })),
    ),
    { agent: file.drill?.agent, path: ['drill', 'agent'] },
    ...tasks.map((item, i) => ({ agent: item?.agent, path: ['tasks', i, 'agent'] })),
    ...services.map((item, i) => ({ agent: item?.wakeUp?.agent, path: ['services', i, 'wakeUp', 'agent'] })),
  ]
  return [
    ...duplicateNames(logins),
    ...duplicateNames(
      (file.notices?.to ?? []).map((item, i) => ({ name: item?.name, path: ['notices', 'to', i] })),
    ),
    ...duplicateNames(tasks.map((item, i) => ({ name: item?.name, path: ['tasks', i] }))),
    ...duplicateNames(services.map((item, i) => ({ name: item?.name, path: ['services', i] }))),
    ...missing,
    ...budgetsWithoutPrice(file.substrates ?? [], Object.keys(file.prices ?? {})),
    ...checkFailureDomains([...logins, ...envEntries], [...poolDirs, ...reservedDirs], base),
    ...duplicateConfigDirs(poolDirs),
    ...duplicateConfigDirs(reservedDirs),
    ...unknownAgents(agentUses, Object.keys({ ...defaultCommands, ...file.agents })),
    ...agentsWithoutCommand(file.agents ?? {}),
    ...tasks.flatMap((task, index) => checkTask(task ?? {}, ['tasks', index])),
    ...services.flatMap((service, index) => checkService(service ?? {}, ['services', index])),
    ...openFiles(document, base),
  ]
}

function duplicateNames(list: { name: string | undefined; path: Path }[]): UnlocatedIssue[] {
  const owners = new Map<string, Path>()
  return list.flatMap(({ name, path }): UnlocatedIssue[] => {
    if (name === undefined) return []
    if (!owners.has(name)) {
      owners.set(name, path)
      return []
    }
    return [
      {
        path: [...path, 'name'],
        at: 'value',
        problem: `the name ${name} is already in use`,
        remedy: 'give each account, substrate, channel, task and service a different name',
      },
    ]
  })
}

/** A budget without a price would limit nothing. */
function budgetsWithoutPrice(substrates: z.output<typeof entries>, priced: string[]): UnlocatedIssue[] {
  return substrates.flatMap((substrate, index): UnlocatedIssue[] => {
    const model = substrate?.model
    const hasPrice = model === undefined ? priced.length > 0 : priced.some((name) => model.startsWith(name))
    if (substrate?.budget === undefined || substrate.budget === null || hasPrice) return []
    const what = model ?? 'any model'
    return [
      {
        path: ['substrates', index, 'budget'],
        at: 'value',
        problem: `${substrate.name ?? 'this substrate'} has a budget, but prices has no price for ${what}`,
        remedy: `add one: prices: { ${model ?? 'MODEL'}: { input: 1, output: 5 } }, in US dollars per million tokens`,
      },
    ]
  })
}

function readConfigDir(account: PlaceEntry, base: PathBase, issues: UnlocatedIssue[]): ConfigDir[] {
  if (account.configDir === undefined || account.configDir === '') return []
  const wanted = expandPath(account.configDir, base)
  const name = account.name ?? wanted
  const refuse = (problem: string): ConfigDir[] => {
    issues.push({
      path: [...account.path, 'configDir'],
      at: 'value',
      problem,
      remedy: `log in to it once with: CLAUDE_CONFIG_DIR=${wanted} claude`,
    })
    return []
  }
  const store = realStore(wanted)
  if (store === null) return refuse(`the config dir ${wanted} of ${name} does not exist or cannot be opened`)
  if (!store.isFolder) return refuse(`the config dir ${wanted} of ${name} is not a folder`)
  return [{ path: account.path, name, store }]
}

function duplicateConfigDirs(dirs: ConfigDir[]): UnlocatedIssue[] {
  return dirs.flatMap((dir, index) => {
    const first = dirs.slice(0, index).find((other) => other.store.id === dir.store.id)
    if (!first) return []
    return [
      {
        path: [...dir.path, 'configDir'],
        at: 'value' as const,
        problem: `${dir.name} has the config dir of ${first.name}, so both are the same login`,
        remedy: 'give each account its own config dir, or remove one of the two',
      },
    ]
  })
}

function unknownAgents(uses: { agent: string | undefined; path: Path }[], known: string[]): UnlocatedIssue[] {
  return uses.flatMap(({ agent, path }): UnlocatedIssue[] => {
    if (agent === undefined || known.includes(agent)) return []
    const meant = nearest(agent, known)
    return [
      {
        path,
        at: 'value',
        problem: `there is no agent ${agent}`,
        remedy: `${meant === null ? '' : `did you mean ${meant}? `}known agents: ${known.join(', ')}; declare others under agents`,
      },
    ]
  })
}

function agentsWithoutCommand(agents: Record<string, { command?: unknown } | undefined>): UnlocatedIssue[] {
  return Object.entries(agents).flatMap(([name, agent]): UnlocatedIssue[] =>
    agent?.command !== undefined || Object.hasOwn(defaultCommands, name)
      ? []
      : [
          {
            path: ['agents', name, 'command'],
            at: 'value',
            problem: `agents.${name}.command is missing`,
            remedy: 'name the program to run',
          },
        ],
  )
}

type LenientTask = NonNullable<z.output<typeof lenientTask>>

/** The keys that each kind of task requires besides its own. */
const requiredTaskKeys = { imap: ['deliverTo'], agent: ['prompt', 'cwd'], run: [] } as const

/** Session names have at most 63 characters. */
const agentTaskNameMax = 63 - taskSessionName('').length

function checkTask(task: LenientTask, path: Path): UnlocatedIssue[] {
  const kinds = (['imap', 'agent', 'run'] as const).filter((kind) => task[kind] !== undefined)
  const [kind] = kinds
  const named = task.name ?? 'this task'
  if (kind === undefined || kinds.length > 1)
    return [
      {
        path: kind === undefined ? path : [...path, kinds[1] ?? kind],
        at: kind === undefined ? 'value' : 'key',
        problem: `${named} has ${kind === undefined ? 'nothing to do' : `${kinds.join(' and ')} at once`}`,
        remedy: 'give a task exactly one of imap, agent and run',
      },
    ]
  if (kind === 'agent' && named.length > agentTaskNameMax)
    return [
      {
        path: [...path, 'name'],
        at: 'value',
        problem: `the name ${named} is too long for an agent task, whose session is called task-${named}`,
        remedy: `use at most ${agentTaskNameMax} characters`,
      },
    ]
  return requiredTaskKeys[kind]
    .filter((need) => task[need] === undefined)
    .map((need) => ({
      path: [...path, need],
      at: 'value',
      problem: `${named} has ${kind} but no ${need}`,
      remedy: `add ${need}`,
    }))
}
