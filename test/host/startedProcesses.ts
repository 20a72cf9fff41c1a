/** Processes that a test file starts; what is left of them is killed after each of its tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach } from 'vitest'
import { processStart, type ProcessRef } from '../../host/process/processes.js'

export function startedProcesses() {
  let started: ChildProcess[] = []
  afterEach(() => {
    for (const child of started) child.kill('SIGKILL')
    started = []
  })

  /** A process that has printed its first output. */
  async function talking(
    ...[program, ...args]: [string, ...string[]]
  ): Promise<{ pid: number; said: string }> {
    const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
    started.push(child)
    const said = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve))
    return { pid: child.pid!, said: said.toString() }
  }

  /** A process that leads a terminal session, as a pane's process does. */
  async function leader(script: string): Promise<ProcessRef> {
    const { pid } = await talking('/bin/sh', '-c', script)
    return { pid, start: (await processStart(pid))! }
  }

  return { talking, leader }
}
