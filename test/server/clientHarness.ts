/**
 * The command against a real engine; sessions are stand-in workflows that the test scripts
 * (clientWorkflows.ts).
 */
import { randomUUID } from 'node:crypto'
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, Connection, type WorkflowHandle } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { expect } from 'vitest'
import { z } from 'zod'
import { ensureSealKeys } from '../../config/seal/keys.js'
import type { LiveFile } from '../../config/state/liveFile.js'
import { commonQueue, sessionWorkflowId } from '../../policy/ids.js'
import { phases, type SessionDetails } from '../../policy/session/session.js'
import { type DevServer, sharedServer } from '../../lab/engine/engine.js'
import { sealedClient } from '../../lab/engine/sealed.js'
import { bundleOnce, terminateRunning } from '../../lab/engine/sharedEngine.js'
import { builtCommand } from '../../lab/fleet.js'
import { WarmCommand } from '../../lab/machine/warmCommand.js'
import { until } from '../../lab/until.js'
import { bundleInputs, sealedDataConverter } from '../../worker/connection/workflowCode.js'
import { newTestHome, type TestHome } from './testHome.js'
import type { ReceivedMessages } from './clientWorkflows.js'

export const instantSchema = z.iso.datetime()
export const sessionRowSchema = z.strictObject({
  ...{
    name: z.string(),
    phase: z.enum(phases),
    account: z.string().nullable(),
    substrate: z.string().nullable(),
  },
  ...{
    agent: z.string(),
    sessionId: z.uuid(),
    cwd: z.string(),
    host: z.string(),
    pane: z.string().nullable(),
  },
  ...{ model: z.string().nullable(), rescues: z.int(), walledUntil: instantSchema.nullable() },
  ...{ parkedUntil: instantSchema.nullable(), attention: z.string().nullable() },
  silentSince: instantSchema.nullable().optional(),
})
export const sessionDetailsSchema = sessionRowSchema.extend({
  ...{ tmuxSocket: z.string().nullable(), pid: z.int().nullable(), transcript: z.string().nullable() },
  ...{ fork: z.string().nullable(), since: instantSchema.nullable(), models: z.array(z.string()) },
  ...{ fallback: z.array(z.string()).nullable(), pinnedTo: z.string().nullable(), priority: z.number() },
  ...{ startedAt: instantSchema, rescueLog: z.array(z.unknown()) },
})

export const parseJson = <S extends z.ZodType>(schema: S, text: string): z.output<S> =>
  schema.parse(JSON.parse(text))
export const uniqueName = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`

/** The bundle of clientWorkflows.ts. */
export const clientWorkflowBundle = (): Promise<{ codePath: string }> =>
  bundleOnce('client-workflows', {
    ...bundleInputs,
    workflowsPath: fileURLToPath(new URL('clientWorkflows.ts', import.meta.url)),
  })

export class ClientHarness {
  readonly server: DevServer
  readonly client: Client
  readonly #native: NativeConnection
  readonly #bundle: { codePath: string }
  #worker: { made: Worker; running: Promise<void> } | null = null
  #home: TestHome | null = null
  readonly #commands = new WarmCommand(builtCommand)

  private constructor(
    server: DevServer,
    client: Client,
    native: NativeConnection,
    bundle: { codePath: string },
  ) {
    this.server = server
    this.client = client
    this.#native = native
    this.#bundle = bundle
  }

  static async open(): Promise<ClientHarness> {
    const server = await sharedServer()
    const connection = await Connection.connect({ address: server.address })
    const client = sealedClient(server.home, connection, server.namespace)
    const native = await NativeConnection.connect({ address: server.address })
    const harness = new ClientHarness(server, client, native, await clientWorkflowBundle())
    await harness.startWorker()
    return harness
  }

  /** The person's home, and the folder of this test. */
  get home(): TestHome {
    if (this.#home === null) throw new Error('no test is running')
    return this.#home
  }

  beginTest(): void {
    this.#home = newTestHome(this.#commands)
    copyFileSync(this.server.home.engineFile, join(this.#home.home, 'engine.json'))
    copyFileSync(this.server.home.sealKeys, join(this.#home.home, 'seal-keys.json'))
    // As if a worker had just written it, for as long as a test takes.
    this.writeLive({}, [], new Date(Date.now() + 600_000))
  }

  async endTest(): Promise<void> {
    await terminateRunning(this.client)
    this.home.remove()
    this.#home = null
  }

  startWorker = async (): Promise<void> => {
    const made = await Worker.create({
      ...{ connection: this.#native, namespace: this.server.namespace },
      ...{ taskQueue: commonQueue, workflowBundle: this.#bundle },
      dataConverter: sealedDataConverter(ensureSealKeys(this.server.home), this.server.namespace),
    })
    this.#worker = { made, running: made.run() }
  }

  async stopWorker(): Promise<void> {
    this.#worker?.made.shutdown()
    await this.#worker?.running
    this.#worker = null
  }

  async close(): Promise<void> {
    await this.#commands.close()
    await this.stopWorker()
    await this.#native.close()
    await this.client.connection.close()
    await this.server.stop()
  }

  handle(name: string): WorkflowHandle {
    return this.client.workflow.getHandle(sessionWorkflowId(name))
  }

  setState(name: string, change: Partial<SessionDetails>): Promise<void> {
    return this.handle(name).signal('become', change)
  }

  received(name: string): Promise<ReceivedMessages> {
    return this.handle(name).query<ReceivedMessages>('heard')
  }

  /** What the command prints if it succeeds. */
  async runOk(...args: string[]): Promise<string> {
    const ran = await this.home.run(args)
    expect(ran, ran.stderr).toMatchObject({ code: 0 })
    return ran.stdout
  }

  async started(change: Partial<SessionDetails> = {}): Promise<string> {
    const name = uniqueName('s')
    await this.runOk('start', name, '--cwd', 'work')
    await this.setState(name, change)
    return name
  }

  async listed(...args: string[]): Promise<z.output<typeof sessionRowSchema>[]> {
    return parseJson(z.array(sessionRowSchema), await this.runOk('ls', '--json', ...args))
  }

  async rowOf(name: string, ...args: string[]): Promise<z.output<typeof sessionRowSchema> | undefined> {
    return (await this.listed(...args)).find((one) => one.name === name)
  }

  /** The visibility store lags a little. */
  /** How many runs of the session the engine lists, running or ended. */
  async runsOf(name: string): Promise<number> {
    let runs = 0
    for await (const { runId } of this.client.workflow.list({
      query: `WorkflowId = '${sessionWorkflowId(name)}'`,
    }))
      if (runId !== '') runs++
    return runs
  }

  untilListed(name: string, matches: (one: z.output<typeof sessionRowSchema>) => boolean): Promise<unknown> {
    return until(
      `${name} in ls`,
      () => this.rowOf(name),
      (one) => one !== undefined && matches(one),
    )
  }

  writeLive(sessions: LiveFile['sessions'], accounts: LiveFile['accounts'] = [], at = new Date()): void {
    const live: LiveFile = { at: at.toISOString(), pid: process.pid, sessions, accounts }
    writeFileSync(join(this.home.home, 'live.json'), JSON.stringify(live))
  }

  /** As if no worker had ever run on this host. */
  removeLive(): void {
    rmSync(join(this.home.home, 'live.json'))
  }
}
