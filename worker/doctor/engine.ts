/** The engine: which one would be used, whether it answers now, and the ports that an embedded one would take. */
import { tsToMs } from '@temporalio/common/lib/time.js'
import { formatDuration } from '../../config/schema/units.js'
import type { Home } from '../../config/state/home.js'
import { readEngine, type EngineEndpoint } from '../../config/state/liveFile.js'
import { processStart } from '../../host/process/processes.js'
import { type ConnectOptions, namedEngine, reach } from '../engine/connect.js'
import type { EngineChoice } from '../engine/index.js'
import { freePorts, usualPorts } from '../engine/ports.js'
import { temporal } from '../engine/programs.js'
import { type Finding, fail, ok, warn } from './finding.js'

/** A busy engine takes a moment; one that takes longer is unusable. Milliseconds. */
const answerWithin = 10_000
const dayMs = 86_400_000

interface Answer {
  version: string
  /** How long finished sessions stay; 0 if the engine does not say. */
  days: number
}

/** The engine that `up` would use, or is using. `finished`: how long it should keep finished sessions. Milliseconds. */
export async function checkEngine(
  choice: EngineChoice,
  home: Home,
  env: NodeJS.ProcessEnv,
  finished: number,
): Promise<Finding> {
  return choice.kind === 'named' ? checkNamed(env, finished) : checkEmbedded(choice, readEngine(home))
}

async function checkNamed(env: NodeJS.ProcessEnv, finished: number): Promise<Finding> {
  const named = namedEngine(env)
  if (named === null) throw new Error('the Temporal settings changed while they were read')
  const { options, namespace } = named
  const where = `${options.address}, namespace ${namespace} (your Temporal settings)`
  const { version, days } = await ask(options, namespace)
  if (days * dayMs >= finished) return ok('engine', `${where} answers: server ${version}, keeps ${days} days`)
  return warn(
    'engine',
    `${where} answers: server ${version}, but keeps finished sessions for ${days} days only`,
    `temporal operator namespace update --namespace ${namespace} --retention ${formatDuration(finished)}`,
  )
}

async function checkEmbedded(
  choice: EngineChoice & { kind: 'embedded' },
  running: EngineEndpoint | null,
): Promise<Finding> {
  const { program, attempts } = choice
  if (running === null) {
    if (program !== null)
      return ok('engine', `embedded, not running: ${program.version} (${program.source}: ${program.path})`)
    const unfit = attempts.filter(({ source, reason }) => source === 'PATH' && !reason.startsWith('no '))
    const why = unfit.map(({ reason }) => `; ${reason}`).join('')
    return ok('engine', `embedded: \`outpool up\` installs Temporal ${temporal.version} first${why}`)
  }
  try {
    const { version, days } = await ask({ address: running.address }, running.namespace)
    return ok('engine', `embedded, running at ${running.address}: server ${version}, keeps ${days} days`)
  } catch {
    if (running.pid !== null && (await processStart(running.pid)) !== null)
      return fail(
        'engine',
        `the embedded engine (process ${running.pid}) does not answer at ${running.address}`,
        'A running `outpool up` starts it again by itself; otherwise run `outpool up`, which replaces it.',
      )
    return ok('engine', `embedded, not running (it was at ${running.address})`)
  }
}

/** Throws EngineUnreachableError, or the engine's error about the namespace. */
async function ask(options: ConnectOptions, namespace: string): Promise<Answer> {
  const connection = await reach(options, answerWithin)
  try {
    const { workflowService } = connection
    return await connection.withDeadline(Date.now() + answerWithin, async () => {
      const { serverVersion } = await workflowService.getSystemInfo({})
      const { config } = await workflowService.describeNamespace({ namespace })
      const days = Math.round(tsToMs(config?.workflowExecutionRetentionTtl) / dayMs)
      return { version: serverVersion === '' ? 'of unknown version' : serverVersion, days }
    })
  } finally {
    await connection.close()
  }
}

/** Which port a start would use now. */
export async function checkPorts(choice: EngineChoice, home: Home): Promise<Finding[]> {
  if (choice.kind === 'named') return []
  const running = readEngine(home)
  if (running !== null && running.pid !== null && (await processStart(running.pid)) !== null)
    return [
      ok('ports', `the engine of this home has ${running.address}, Web UI at ${running.uiUrl ?? 'none'}`),
    ]
  const { grpc } = await freePorts({ ...usualPorts, ui: null })
  const usual = usualPorts.grpc
  const found = usual === grpc ? `${usual} is free` : `${usual} is taken, ${grpc} would be used instead`
  return [ok('ports', found)]
}
