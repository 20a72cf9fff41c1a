/** A task's folder on its host: the results of its newest runs, and its state. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskConfig } from '../../config/config.js'
import { writeFileAtomic } from './atomicFile.js'
import type { Host } from '../host.js'
import { UnknownTaskError } from '../errors.js'

export type TaskOfKind<K extends TaskConfig['kind']> = TaskConfig & { kind: K }

/** The task as this host's configuration has it. Throws UnknownTask. */
export function taskOf<K extends TaskConfig['kind']>(host: Host, name: string, kind: K): TaskOfKind<K> {
  const isOfKind = (task: TaskConfig): task is TaskOfKind<K> => task.name === name && task.kind === kind
  const task = host.config.tasks.find(isOfKind)
  if (!task) throw new UnknownTaskError(name)
  return task
}

export class TaskFolder {
  readonly dir: string

  constructor(host: Host, task: string) {
    this.dir = join(host.home.tasks, task)
    mkdirSync(this.results, { recursive: true, mode: 0o700 })
  }

  private get results(): string {
    return join(this.dir, 'results')
  }

  path(name: string): string {
    return join(this.dir, name)
  }

  /** Saves the text as the newest result, and keeps at most `keep` results. Returns the file. */
  saveResult(text: string, ending: 'log' | 'md', keep: number): string {
    const stamp = new Date().toISOString().replaceAll(':', '-')
    const file = join(this.results, `${stamp}.${ending}`)
    writeFileAtomic(file, text)
    // Their names sort by time.
    const older = readdirSync(this.results).sort().slice(0, -keep)
    for (const name of older) rmSync(join(this.results, name), { force: true })
    return file
  }
}
