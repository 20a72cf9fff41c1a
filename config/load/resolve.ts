/** Turns the parsed file into the configuration that the other rooms use. Expects a file that passed every check. */
import { realpathSync } from 'node:fs'
import type {
  AccountConfig,
  AgentConfig,
  Config,
  EnvRefs,
  EnvValue,
  ImapConfig,
  NoticeChannel,
  PromptSource,
  ServiceConfig,
  SubstrateConfig,
  TaskCommand,
  TaskConfig,
} from '../config.js'
import { referredVariables } from '../secrets/credentials.js'
import { type PathBase, expandPath, expandProgram } from './paths.js'
import type { ConfigFile } from '../schema/file.js'

type ParsedPrompt = NonNullable<ConfigFile['tasks'][number]['prompt']>

export function resolveConfig(
  parsed: ConfigFile,
  file: string,
  base: PathBase,
): Omit<Config, 'digest' | 'byContent'> {
  return {
    file,
    env: { pass: parsed.env.pass, secrets: referredVariables(parsed) },
    pool: {
      ...parsed.pool,
      accounts: parsed.pool.accounts.map((account) => resolveAccount(account, base)),
    },
    reserved: parsed.reserved.map((account) => resolveAccount(account, base)),
    substrates: parsed.substrates.map((substrate) => resolveSubstrate(substrate, base)),
    reservedSubstrates: parsed.reservedSubstrates.map((substrate) => resolveSubstrate(substrate, base)),
    agents: resolveAgents(parsed.agents, base),
    timing: parsed.timing,
    drill: parsed.drill,
    keep: parsed.keep,
    events: parsed.events,
    metrics: parsed.metrics,
    notices: { ...parsed.notices, to: parsed.notices.to.map((channel) => resolveChannel(channel, base)) },
    prices: parsed.prices,
    tasks: parsed.tasks.map((task) => resolveTask(task, base)),
    services: parsed.services.map((service) => resolveService(service, base)),
  }
}

function resolveAccount<Account extends ConfigFile['reserved'][number]>(
  account: Account,
  base: PathBase,
): Omit<Account, 'env'> & AccountConfig {
  return {
    ...account,
    configDir: realpathSync.native(expandPath(account.configDir, base)),
    env: resolveRefs(account.env, base),
  }
}

const resolveSubstrate = (substrate: ConfigFile['substrates'][number], base: PathBase): SubstrateConfig => ({
  ...substrate,
  env: resolveRefs(substrate.env, base),
})

function resolveChannel(channel: ConfigFile['notices']['to'][number], base: PathBase): NoticeChannel {
  const { name, timeout, command, slack, ntfy, token } = channel
  if (command !== undefined)
    return {
      ...{ name, timeout, kind: 'command', run: resolveRun(command, base) },
      ...{ cwd: expandPath(channel.cwd ?? '.', base), env: resolveRefs(channel.env, base) },
    }
  if (slack !== undefined) return { name, timeout, kind: 'slack', url: resolveRef(slack, base) }
  if (ntfy !== undefined)
    return {
      ...{ name, timeout, kind: 'ntfy', url: resolveRef(ntfy, base) },
      token: token === undefined ? null : resolveRef(token, base),
    }
  return { name, timeout, kind: 'desktop' }
}

/** The command of an agent whose entry names none; the checks refuse an agent that has neither. */
export const defaultCommands: Record<string, string> = { 'claude-code': 'claude' }

function resolveAgents(agents: ConfigFile['agents'], base: PathBase): Record<string, AgentConfig> {
  const withDefault = { 'claude-code': { args: [], env: {}, rehearse: 'auto' as const }, ...agents }
  return Object.fromEntries(
    Object.entries<ConfigFile['agents'][string]>(withDefault).map(([name, agent]) => [
      name,
      {
        command: expandProgram(agent.command ?? defaultCommands[name] ?? name, base),
        args: agent.args,
        env: resolveRefs(agent.env, base),
        rehearse: agent.rehearse,
      },
    ]),
  )
}

const hour = 3_600_000
const defaultTimeout = { run: hour, agent: 24 * hour, imap: hour / 6 } as const

function resolveTask(task: ConfigFile['tasks'][number], base: PathBase): TaskConfig {
  const { name, every, catchUp, keep, maxOutputSize, attentionAfter } = task
  const bounds = (kind: keyof typeof defaultTimeout) => ({
    ...{ name, every, catchUp, keep, maxOutputSize, attentionAfter },
    timeout: task.timeout ?? defaultTimeout[kind],
  })
  const cwd = expandPath(task.cwd ?? '.', base)
  const env = resolveRefs(task.env, base)
  if (task.imap !== undefined) {
    const { imap, deliverTo = '' } = task
    return {
      ...{ ...bounds('imap'), kind: 'imap', imap: resolveImap(imap, base) },
      deliverTo: typeof deliverTo === 'string' ? deliverTo : resolveCommand(deliverTo, base),
    }
  }
  if (task.agent !== undefined) {
    const prompt = resolvePrompt(task.prompt ?? '', base)
    return {
      ...bounds('agent'),
      kind: 'agent',
      agent: task.agent,
      model: task.model ?? null,
      cwd,
      env,
      prompt,
    }
  }
  return { ...bounds('run'), kind: 'run', run: resolveRun(task.run ?? [], base), cwd, env }
}

type ParsedImap = NonNullable<ConfigFile['tasks'][number]['imap']>

function resolveImap(imap: ParsedImap, base: PathBase): ImapConfig {
  return {
    ...imap,
    port: imap.port ?? (imap.tls === true ? 993 : 143),
    ca: imap.ca === undefined ? null : expandPath(imap.ca, base),
    password: resolveRef(imap.password, base),
    from: imap.from.map((sender) => sender.toLowerCase()),
  }
}

type ParsedCommand = Exclude<NonNullable<ConfigFile['tasks'][number]['deliverTo']>, string>

const resolveCommand = ({ run, cwd, env }: ParsedCommand, base: PathBase): TaskCommand => ({
  ...{ run: resolveRun(run, base), cwd: expandPath(cwd ?? '.', base), env: resolveRefs(env, base) },
})

/** A service without a heartbeat has to stay up this long after a wake-up. Milliseconds. */
const defaultHeartbeatWithin = 5 * 60_000

function resolveService(service: ConfigFile['services'][number], base: PathBase): ServiceConfig {
  const { name, timeout, every, restarts, heartbeat, busyCheck, wakeUp } = service
  const cwd = expandPath(service.cwd ?? '.', base)
  return {
    ...{ name, timeout, every, restarts, cwd },
    run: service.run ? resolveRun(service.run, base) : null,
    locator: resolveLocator(service, base),
    env: resolveRefs(service.env, base),
    heartbeat: heartbeat ? { ...heartbeat, file: expandPath(heartbeat.file, base) } : null,
    busyCheck: busyCheck
      ? {
          ...busyCheck,
          files: (busyCheck.files ?? []).map((glob) => expandPath(glob, base)),
          run: busyCheck.run ? resolveRun(busyCheck.run, base) : null,
        }
      : null,
    wakeUp: wakeUp
      ? {
          ...wakeUp,
          heartbeatWithin: wakeUp.heartbeatWithin ?? heartbeat?.staleAfter ?? defaultHeartbeatWithin,
          cwd: wakeUp.cwd === undefined ? cwd : expandPath(wakeUp.cwd, base),
          prompt: resolvePrompt(wakeUp.prompt, base),
          verify: wakeUp.verify ? resolveRun(wakeUp.verify, base) : null,
          env: resolveRefs(wakeUp.env, base),
        }
      : null,
  }
}

function resolveLocator(
  { pidFile, unit, pane }: ConfigFile['services'][number],
  base: PathBase,
): ServiceConfig['locator'] {
  if (pidFile !== undefined) return { by: 'pidFile', at: expandPath(pidFile, base) }
  if (unit !== undefined) return { by: 'unit', at: unit }
  if (pane !== undefined) return { by: 'pane', at: pane }
  return { by: 'own' }
}

/** Only `~/` is expanded in a program: `./` is relative to its `cwd`, as in any shell. */
function resolveRun(run: string[], base: PathBase): string[] {
  const [program = '', ...args] = run
  return [program.startsWith('~/') ? expandPath(program, base) : program, ...args]
}

const resolvePrompt = (prompt: ParsedPrompt, base: PathBase): PromptSource =>
  typeof prompt === 'string' ? prompt : { file: expandPath(prompt.file, base) }

const resolveRefs = (env: EnvRefs, base: PathBase): EnvRefs =>
  Object.fromEntries(Object.entries(env).map(([name, value]) => [name, resolveRef(value, base)]))

function resolveRef(value: EnvValue, base: PathBase): EnvValue {
  if (typeof value === 'string') return value
  if ('fromFile' in value) return { fromFile: expandPath(value.fromFile, base) }
  if ('fromCommand' in value) {
    const [program = '', ...args] = value.fromCommand
    return { fromCommand: [expandProgram(program, base), ...args] }
  }
  return value
}
