/** Finds the process of a service by its record, its pane, its pid file or its unit; never by the name of a program. */
import { setTimeout as delay } from 'node:timers/promises'
import { stat } from 'node:fs/promises'
import { execa } from 'execa'
import { isMissing } from '../../policy/errorFacts.js'
import { readRegular } from '../../agents/files.js'
import type { ServiceConfig } from '../../config/config.js'
import { clockSlack } from '../../policy/service/beats.js'
import type { GuardedProcess } from '../../policy/service/judgement.js'
import type { Host } from '../../host/host.js'
import { isAlive, processStart } from '../../host/process/processes.js'
import { markedRoots, processTree, startedAtOf } from '../../host/process/tree.js'
import { describeExit, type Pane } from '../../host/tmux/panes.js'
import type { ServiceRecords } from '../../host/state/serviceRecords.js'

export interface FoundProcess {
  process: GuardedProcess | null
  /** How it ended; null if it runs, or if that is not known. */
  exitReason: string | null
}

/** A program that forks into the background does so within this time of its start; a later child is not the service itself. */
const forkTimeout = 10_000

/** Names the launch in the environment of the service and of all its descendants. */
export const launchMarkVariable = 'OUTPOOL_SERVICE_LAUNCH'
export const launchMark = (service: string, fence: number): string => `${service}#${fence}`

/** The tmux session of a service. The slash keeps it apart from the sessions of agents. */
export const servicePane = (service: string): string => `service/${service}`

const systemctlTimeout = 5_000

/** Throws if the process could not be looked for, which says nothing about the service. */
export async function findServiceProcess(
  host: Host,
  records: ServiceRecords,
  service: ServiceConfig,
): Promise<FoundProcess> {
  switch (service.locator.by) {
    case 'own':
      return findOwnProcess(host, records, service.name)
    case 'pidFile':
      return findByPidFile(service.locator.at)
    case 'unit':
      return findUnit(service.locator.at)
    case 'pane':
      return findForeignPane(service.locator.at)
  }
}

const exitPollEvery = 50
const maxExitPolls = 10

async function findOwnProcess(host: Host, records: ServiceRecords, service: string): Promise<FoundProcess> {
  const { fence, process } = records.read(service)
  const isRunning = process !== null && (await isAlive(process))
  const running = isRunning ? await withProcessTree(process.pid, process.start) : null
  if (running !== null) return { process: running, exitReason: null }
  let pane = await host.tmux.pane(servicePane(service))
  // The worker was killed between starting the process and recording it, or the record was lost. The pane still knows it.
  const adopted =
    pane !== null && !pane.dead && process === null
      ? await adoptProcess(records, service, pane.fence, pane.pid)
      : null
  if (adopted !== null) return adopted
  // tmux learns of the exit a little later than the system; until then it can't tell how the process ended.
  for (let polls = 0; pane?.dead === false && polls < maxExitPolls; polls++) {
    await delay(exitPollEvery)
    pane = await host.tmux.pane(servicePane(service))
  }
  const fork = pane?.dead === true && pane.fence === fence ? await findForkedProcess(service, pane) : null
  const forked = fork === null ? null : await adoptProcess(records, service, fence, fork)
  if (forked !== null) return forked
  return { process: null, exitReason: pane?.dead === true ? `it ended with ${describeExit(pane)}` : null }
}

/** Null if it has ended. */
async function adoptProcess(
  records: ServiceRecords,
  service: string,
  fence: number,
  pid: number,
): Promise<FoundProcess | null> {
  const process = await liveProcess(pid)
  if (process === null) return null
  records.save(service, { fence, process: { pid, start: process.start } })
  return { process, exitReason: null }
}

/**
 * A process that exits with code 0 right after its start, and leaves a process that was started then, has forked into the
 * background. A process that ended later, or with an error, is over, even if it left children.
 */
async function findForkedProcess(service: string, pane: Pane): Promise<number | null> {
  if (pane.exitCode !== 0 || pane.deadAt === null) return null
  for (const pid of markedRoots(launchMarkVariable, launchMark(service, pane.fence))) {
    const bornAt = await startedAtOf(pid)
    if (bornAt !== null && Math.abs(pane.deadAt - bornAt) <= forkTimeout) return pid
  }
  return null
}

/** If the pid file is older than the process with that id, it names an earlier process. */
async function findByPidFile(file: string): Promise<FoundProcess> {
  const unlessMissing = (error: unknown): null => {
    if (isMissing(error)) return null
    throw error
  }
  const [text, info] = await Promise.all([
    readRegular(file).catch(unlessMissing),
    stat(file).catch(unlessMissing),
  ])
  if (text === null || info === null) return { process: null, exitReason: `there is no ${file}` }
  const pid = /^\s*(\d{1,9})\s*$/.exec(text.slice(0, 64))?.[1]
  if (pid === undefined) return { process: null, exitReason: `${file} does not hold a process id` }
  const found = await liveProcess(Number(pid))
  if (found === null) return { process: null, exitReason: `process ${pid} of ${file} is gone` }
  if (found.startedAt > info.mtimeMs + clockSlack)
    return {
      process: null,
      exitReason: `process ${pid} of ${file} is gone, its id has been given to another`,
    }
  return { process: found, exitReason: null }
}

async function findUnit(unit: string): Promise<FoundProcess> {
  const isSystem = unit.startsWith('system:')
  const name = unit.replace(/^system:/, '')
  const args = [
    ...(isSystem ? [] : ['--user']),
    'show',
    name,
    '--property=MainPID,ActiveState,Result,LoadState',
  ]
  const { exitCode, stdout } = await execa('systemctl', args, { reject: false, timeout: systemctlTimeout })
  if (exitCode === undefined) throw new Error('systemctl cannot be run')
  const property = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(stdout)?.[1] ?? ''
  // It exits with 0 for a unit that does not exist too.
  if (exitCode !== 0) throw new Error(`systemctl show ${name} ended with exit code ${exitCode}`)
  if (property('LoadState') === 'not-found')
    return { process: null, exitReason: `systemctl does not know ${name}` }
  const found = await liveProcess(Number(property('MainPID')))
  const state = [property('ActiveState'), property('Result')].filter((word) => word !== '').join(', ')
  return { process: found, exitReason: found === null ? `${name} is ${state || 'not running'}` : null }
}

/** A pane of the user's own tmux server. */
async function findForeignPane(target: string): Promise<FoundProcess> {
  const { exitCode, stdout } = await execa(
    'tmux',
    ['display-message', '-p', '-t', target, '#{pane_pid} #{pane_dead}'],
    { reject: false, timeout: systemctlTimeout },
  )
  if (exitCode === undefined) throw new Error('tmux cannot be run')
  const [pid = '', dead] = stdout.split(' ')
  // If its server runs, tmux prints an empty line for a pane that does not exist.
  if (exitCode !== 0 || pid === '') return { process: null, exitReason: `there is no pane ${target}` }
  const found = dead === '1' ? null : await liveProcess(Number(pid))
  return { process: found, exitReason: found === null ? `the process of pane ${target} has ended` : null }
}

async function liveProcess(pid: number): Promise<GuardedProcess | null> {
  if (!Number.isInteger(pid) || pid <= 0) return null
  const start = await processStart(pid)
  return start === null ? null : withProcessTree(pid, start)
}

/** Null if the process ended meanwhile. */
async function withProcessTree(pid: number, start: string): Promise<GuardedProcess | null> {
  const tree = await processTree(pid)
  const startedAt = tree.get(pid)
  return startedAt === undefined ? null : { pid, start, startedAt, tree }
}
