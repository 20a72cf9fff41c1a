/** Finds embedded servers in the process table; their command line says which home they belong to. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { execa } from 'execa'
import { processStart, type ProcessRef } from '../../host/process/processes.js'
import type { Ports } from './ports.js'

export interface RunningServer {
  process: ProcessRef
  ports: Ports
}

/** The arguments of `temporal`; `serversOf` reads them back, so their order is fixed. */
export const serverArguments = (database: string, { grpc, ui }: Ports): string[] => [
  ...['server', 'start-dev', '--db-filename', database],
  ...['--ip', '127.0.0.1', '--port', String(grpc)],
  ...(ui === null ? ['--headless'] : ['--ui-port', String(ui)]),
  // Closes the HTTP API, which would answer web pages: no Host header matches this pattern. gRPC is not affected.
  ...['--dynamic-config-value', 'frontend.httpAllowedHosts=["$.^"]'],
  // FULL: the last commits must survive a power cut, and the fsync is not the largest cost of a rescue.
  ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=FULL'],
  ...['--log-level', 'warn', '--ui-disable-news-fetch'],
]

/** The running servers on this database, by their command line. There is more than one only after a failure. */
export async function serversOf(database: string): Promise<RunningServer[]> {
  const found: RunningServer[] = []
  for (const { pid, command } of await processes()) {
    const ports = portsIn(command, database)
    if (ports === null || pid === process.pid) continue
    const start = await processStart(pid)
    if (start !== null) found.push({ process: { pid, start }, ports })
  }
  return found
}

/** The ports of the server on `database` that this command line starts, or null for another program. */
function portsIn(command: string, database: string): Ports | null {
  const [before, after] = command.split(` server start-dev --db-filename ${database} --ip 127.0.0.1 --port `)
  // The program stands alone before its arguments: a shell or an editor that merely mentions them has more there.
  if (before === undefined || after === undefined || /\s-/.test(before)) return null
  const ports = /^(\d+) (?:--headless|--ui-port (\d+)) /.exec(after)
  if (ports === null) return null
  return { grpc: Number(ports[1]), ui: ports[2] === undefined ? null : Number(ports[2]) }
}

async function processes(): Promise<{ pid: number; command: string }[]> {
  if (!existsSync('/proc/self/cmdline')) {
    const { stdout } = await execa('ps', ['-axww', '-o', 'pid=,args='], { reject: false })
    return stdout.split('\n').flatMap((line) => {
      const parts = /^\s*(\d+)\s+(.*)$/.exec(line)
      return parts === null ? [] : [{ pid: Number(parts[1]), command: parts[2] ?? '' }]
    })
  }
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger)
  const all = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return { pid, command: line.replaceAll('\0', ' ') }
    }),
  )
  return all.filter(({ command }) => command !== '')
}
