/**
 * What the files of a run of the tests share: an engine, for every test that needs one and none in particular, and bundles of
 * workflows. Each home that uses the engine has a separate namespace in it, so that pools, sessions and hosts of the same name never
 * meet. It keeps everything in memory: what a disk, a kill or an upgrade does to an engine is tested on engines of single tests.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import type { BundleOptions } from '@temporalio/worker'
import { engineRetention } from '../../policy/retention.js'
import { obtainTemporal } from '../../worker/engine/find.js'
import { freePorts, isListener } from '../../worker/engine/ports.js'
import { until } from '../until.js'
import { testPorts } from './testPorts.js'

/** Passes the folder of the run to the processes of the test files. */
const variable = 'OUTPOOL_TEST_RUN'

/** Vitest calls it for each project that names it, all at the same time, and begins when every call has ended. */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[variable] !== undefined) return undefined
  const dir = mkdtempSync(join(tmpdir(), 'outpool-run-'))
  // Set before the first await: the calls for other projects leave the work to this one.
  process.env[variable] = dir
  const { path } = await obtainTemporal({ env: process.env, say: () => undefined })
  let server = null as ChildProcess | null
  // These end Vitest without the function returned here.
  for (const signal of ['SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      server?.kill('SIGKILL')
      rmSync(dir, { recursive: true, force: true })
      process.kill(process.pid, signal)
    })
  while (server === null) {
    const { grpc } = await freePorts({ grpc: testPorts.grpc, ui: null })
    server = spawnServer(path, grpc)
    if (await isServing(server, grpc)) {
      writeFileSync(addressFile(dir), `127.0.0.1:${grpc}`)
    } else {
      await endServer(server)
      server = null
    }
  }
  const serving = server
  return async () => {
    await endServer(serving)
    rmSync(dir, { recursive: true, force: true })
  }
}

function spawnServer(path: string, port: number): ChildProcess {
  const where = ['--ip', '127.0.0.1', '--port', String(port), '--headless']
  return spawn(path, ['server', 'start-dev', ...where, '--log-level', 'error'], {
    stdio: 'ignore',
    // Memory for CPU: its garbage is collected when there is four times as much as of the rest. By default, when there is as much.
    env: { ...process.env, GOGC: '400' },
  })
}

/** False if the server of another run has taken the port since it was seen free. */
async function isServing(server: ChildProcess, port: number): Promise<boolean> {
  const address = `127.0.0.1:${port}`
  await until(
    'the shared engine',
    async () => (await Connection.connect({ address, connectTimeout: 1_000 })).close(),
    () => true,
  )
  return server.pid !== undefined && isListener(server.pid, port)
}

async function endServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
}

const addressFile = (dir: string): string => join(dir, 'engine')

const sharedAddress = (): string => readFileSync(addressFile(runFolder()), 'utf8')

function runFolder(): string {
  const dir = process.env[variable]
  if (dir === undefined)
    throw new Error('vitest.config.ts names no setup with a shared engine for this project')
  return dir
}

/** Settings of Temporal that name the shared engine and a new namespace in it, for `outpool up` to set up. */
export async function newNamespace(): Promise<{ TEMPORAL_ADDRESS: string; TEMPORAL_NAMESPACE: string }> {
  const address = sharedAddress()
  const namespace = `test-${randomUUID()}`
  const connection = await Connection.connect({ address })
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs(engineRetention.finished),
    })
  } finally {
    await connection.close()
  }
  return { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace }
}

/** Ends what would keep the engine busy in a namespace whose workers are gone: workflows and schedules. */
export async function endNamespace(namespace: string): Promise<void> {
  const connection = await Connection.connect({ address: sharedAddress() })
  const { workflowService } = connection
  const client = new Client({ connection, namespace })
  try {
    // The client's own list would open what only the fleet had the key for.
    const { schedules } = await workflowService.listSchedules({ namespace })
    for (const { scheduleId } of schedules)
      await workflowService.deleteSchedule({ namespace, scheduleId: scheduleId ?? null })
    await terminateRunning(client)
  } finally {
    await connection.close()
  }
}

/** Ends every workflow of the client's namespace. The engine's list may still name one that has ended just now. */
export async function terminateRunning({ workflow, workflowService, options }: Client): Promise<void> {
  // The client's own list would open what only the fleet had the key for.
  const query = `ExecutionStatus = 'Running'`
  const { executions } = await workflowService.listWorkflowExecutions({ namespace: options.namespace, query })
  for (const { execution } of executions)
    try {
      await workflow.getHandle(execution?.workflowId ?? '').terminate()
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
}

/** A bundle of workflows, made by the first file of a run that asks for it. `name`: what it is called in the run. */
export async function bundleOnce(name: string, options: BundleOptions): Promise<{ codePath: string }> {
  const codePath = join(runFolder(), `${name}.js`)
  if (isFirst(`${codePath}.begun`)) {
    const { bundleWorkflowCode } = await import('@temporalio/worker')
    writeFileSync(`${codePath}.new`, (await bundleWorkflowCode(options)).code)
    renameSync(`${codePath}.new`, codePath)
  }
  await until(
    `the bundle ${name}`,
    () => Promise.resolve(existsSync(codePath)),
    (isMade) => isMade,
  )
  return { codePath }
}

function isFirst(mark: string): boolean {
  try {
    closeSync(openSync(mark, 'wx'))
    return true
  } catch {
    return false
  }
}
