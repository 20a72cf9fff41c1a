/** Instants at which something happened on disk, as soon as the system reports it. */
import { mkdirSync, readFileSync, statSync, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'

const runningSchema = z.looseObject({ pid: z.number(), sessionId: z.string() })

/** A watch that has been set, and its result. */
export interface FileWatch {
  /** Milliseconds on the clock of `performance.now()`. */
  happenedAt: Promise<number>
  close: () => void
}

/** The first file in these folders that matches, when it appears or changes. Missing folders are created. */
export function firstFile(
  folders: readonly string[],
  fits: (name: string, folder: string) => boolean,
): FileWatch {
  const { promise, resolve } = withResolver<number>()
  const watchers = folders.map((folder) => {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return watch(folder, (_event, name) => {
      if (name === null || !fits(name, folder)) return
      resolve(performance.now())
      close()
    })
  })
  const close = (): void => watchers.forEach((watcher) => watcher.close())
  return { happenedAt: promise, close }
}

/** The agent program's own report, under one of these config dirs, that it runs with this conversation. */
export function firstRunning(configDirs: readonly string[], sessionId: string): FileWatch {
  const folders = configDirs.map((dir) => join(dir, 'sessions'))
  return firstFile(folders, (name, folder) => {
    if (!/^\d+\.json$/.test(name)) return false
    return runs(join(folder, name), sessionId)
  })
}

/** The first line containing `words` that is added to this file from now on. */
export function firstEntry(file: string, text: string): FileWatch {
  const from = statSync(file).size
  return firstFile([dirname(file)], (name) => {
    return name === basename(file) && readFileSync(file).subarray(from).includes(text)
  })
}

/** A file that is just being written or removed has no content yet: its next change is read as well. */
function runs(file: string, sessionId: string): boolean {
  try {
    return runningSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).sessionId === sessionId
  } catch {
    return false
  }
}

/** `happenedAt`, or an error after `ms`: an event that never comes must not block the benchmark for good. */
export async function within(what: string, ms: number, { happenedAt, close }: FileWatch): Promise<number> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} was not seen within ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([happenedAt, late])
  } finally {
    clearTimeout(timer)
    close()
  }
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => (resolve = settle))
  return { promise, resolve }
}
