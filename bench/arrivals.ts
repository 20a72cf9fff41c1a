/**
 * Detects agents that have started, as soon as each reports it in its `sessions/<pid>.json`, on whichever
 * place it runs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, watch, type FSWatcher } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { isAlive } from '../agents/claude-code/liveness.js'

const liveSchema = z.looseObject({
  pid: z.number(),
  sessionId: z.string(),
  procStart: z.coerce.string().optional(),
})

export interface Arrival {
  sessionId: string
  pid: number
  /** The config dir that it runs in. */
  configDir: string
  /** On the clock of `performance.now()`. */
  at: number
}

/** Records every process that did not exist when this was created. */
export class Arrivals {
  readonly all = new Map<number, Arrival>()
  readonly #awaited = new Map<string, (arrival: Arrival) => void>()
  readonly #before: Set<number>
  readonly #watchers: FSWatcher[]

  constructor(configDirs: readonly string[]) {
    const folders = configDirs.map((dir) => join(dir, 'sessions'))
    for (const folder of folders) mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#before = new Set(configDirs.flatMap((dir) => liveAgents(dir)).map(({ pid }) => pid))
    this.#watchers = folders.map((folder) =>
      watch(folder, (_event, name) => {
        if (name !== null) this.#read(join(folder, name))
      }),
    )
  }

  /** The first process that starts with this conversation. */
  of(sessionId: string): Promise<Arrival> {
    const arrival = [...this.all.values()].find((one) => one.sessionId === sessionId)
    if (arrival) return Promise.resolve(arrival)
    return new Promise((resolve) => this.#awaited.set(sessionId, resolve))
  }

  /** How many different sessions have started a process. */
  get sessions(): number {
    return new Set([...this.all.values()].map(({ sessionId }) => sessionId)).size
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close()
  }

  #read(file: string): void {
    const pid = Number(basename(file, '.json'))
    if (this.#before.has(pid) || this.all.has(pid)) return
    const agent = readLive(file)
    if (!agent) return
    const { sessionId } = agent
    const arrival = { sessionId, pid, configDir: dirname(dirname(file)), at: performance.now() }
    this.all.set(pid, arrival)
    this.#awaited.get(sessionId)?.(arrival)
  }
}

/** The agents that report that they run in this config dir, and are alive. */
export function liveAgents(configDir: string): Omit<Arrival, 'at'>[] {
  const folder = join(configDir, 'sessions')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .flatMap((name) => readLive(join(folder, name)) ?? [])
    .filter(({ pid, procStart }) => isAlive(pid, procStart))
    .map(({ pid, sessionId }) => ({ pid, sessionId, configDir }))
}

/** Null for a file that is just being written or removed: its next change is read as well. */
function readLive(file: string): z.output<typeof liveSchema> | null {
  try {
    return liveSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}
