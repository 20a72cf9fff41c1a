/** `outpool services`, and its `--pause NAME`, `--resume NAME` and `--restart NAME` for work on a service by hand. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Colors } from 'picocolors/types.js'
import { openHome } from '../../config/state/home.js'
import { readLive } from '../../config/state/liveFile.js'
import { loadConfig } from '../../config/load/load.js'
import type { ServiceConfig } from '../../config/config.js'
import type { ServiceState } from '../../policy/service/service.js'
import { watchdogSignals } from '../../workflows/messages.js'
import { type CommandContext, printNotice, print, printJson } from '../commandContext.js'
import { withEngine } from '../engine/engine.js'
import { checkName } from '../names.js'
import {
  type ListedService,
  listServices,
  notGuardedError,
  signalService,
  toServiceView,
} from '../engine/services.js'
import { FailedError } from '../errors.js'
import { isFresh } from '../sessions/sessionRows.js'
import { type Column, renderTable } from '../output/table.js'
import { oneLine } from '../output/terminal.js'
import { ago, ahead } from '../output/times.js'

/** A watchdog may have to end its agent first, but the command does not wait for it longer than this. */
const visibleWithinMs = 15_000
/** Its process may take the time for its end that the configuration gives it, and is found at the next check. */
const restartWithinMs = 40_000
const pollMs = 150

export async function services(context: CommandContext): Promise<void> {
  const paused = context.option('pause')
  const resumed = context.option('resume')
  const restarted = context.option('restart')
  if (paused !== null) await signalAndWait(checkName(paused, 'service'), 'pause', context)
  if (resumed !== null) await signalAndWait(checkName(resumed, 'service'), 'resume', context)
  if (restarted !== null) await restart(checkName(restarted, 'service'), context)
  if (paused === null && resumed === null && restarted === null) await list(context)
}

async function list(context: CommandContext): Promise<void> {
  const home = openHome()
  const now = new Date()
  const { services: configured } = loadConfig({ path: context.config })
  const rows = await withEngine(home, (engine) => listServices(engine, home))
  const live = readLive(home)
  const unguarded = configured.filter(({ name }) => !rows.some((row) => row.name === name))
  if (rows.length > 0 && !isFresh(live, now))
    printNotice('no worker is watching on this host: start it with `outpool up`')
  if (unguarded.length > 0)
    printNotice(
      `not guarded yet: ${unguarded.map(({ name }) => name).join(', ')}; \`outpool config check\` says whether the worker uses this file`,
    )
  if (context.json) printJson(rows.map(toServiceView))
  else if (rows.length === 0) print('No services. Add them under `services` in outpool.yaml.')
  else print(screen(rows, context.width, context.colors, now))
}

function screen(rows: ListedService[], width: number, colors: Colors, now: Date): string {
  const asking = rows.flatMap(({ name, attention }) => (attention === null ? [] : [{ name, attention }]))
  return [
    renderTable(rows, columnsFor(colors, now), width, colors),
    ...asking.map(
      ({ name, attention }) =>
        `${colors.yellow('!')} ${colors.bold(name)}: ${oneLine(withoutName(name, attention))}`,
    ),
  ].join('\n')
}

/** A sentence that is read alone, such as in a notice, names its service itself. */
const withoutName = (name: string, attention: string): string =>
  attention.startsWith(`${name}: `) ? attention.slice(`${name}: `.length) : attention

/** The verdict of the last check is not shown beside a state that contradicts it. */
function doingOf({ state, lastBeat, why, verdict }: ListedService): string {
  if (lastBeat?.doing != null) return lastBeat.doing
  if (state === 'restarting' && verdict === 'well') return 'started, and not proven well yet'
  return why ?? '-'
}

function columnsFor(colors: Colors, now: Date): Column<ListedService>[] {
  return [
    { title: 'NAME', text: (row) => row.name, paint: (text) => colors.bold(text), shrink: 'end' },
    { title: 'STATE', text: (row) => row.state, paint: (text, row) => paintState(text, row.state, colors) },
    { title: 'PID', text: (row) => String(row.pid ?? '-'), align: 'right' },
    { title: 'LAST BEAT', text: (row) => (row.lastBeat === null ? '-' : ago(row.lastBeat.at, now)) },
    { title: 'RESTARTS', text: (row) => (row.restarts === 0 ? '-' : String(row.restarts)), align: 'right' },
    { title: 'INCIDENT', text: (row) => String(row.incident ?? '-'), align: 'right' },
    { title: 'NEXT CHECK', text: (row) => (row.nextCheckAt === null ? '-' : ahead(row.nextCheckAt, now)) },
    { title: 'DOING', text: doingOf, shrink: 'end', least: 8 },
  ]
}

function paintState(text: string, state: ServiceState, colors: Colors): string {
  switch (state) {
    case 'running':
      return colors.green(text)
    case 'busy':
    case 'restarting':
      return colors.cyan(text)
    case 'missing':
    case 'frozen':
      return colors.red(text)
    case 'escalated':
      return colors.magenta(text)
    case 'paused':
      return colors.dim(text)
  }
}

/** Asks the watchdog to start the service again, also if it is well. Throws FailedError if it can not. */
async function restart(name: string, context: CommandContext): Promise<void> {
  const home = openHome()
  const { services: configured } = loadConfig({ path: context.config })
  const pid = await withEngine(home, async (engine) => {
    const row = async () => (await listServices(engine, home)).find((one) => one.name === name)
    const before = await row()
    if (before === undefined) throw notGuardedError(name, configured)
    assertRestartable(before, configured)
    await signalService(engine, name, watchdogSignals.restart, configured)
    const end = Date.now() + restartWithinMs
    return engine.within(restartWithinMs + 5_000, async () => {
      while (Date.now() < end) {
        const now = await row()
        if (now !== undefined && now.state !== 'restarting' && now.pid !== null && now.pid !== before.pid)
          return now.pid
        await sleep(pollMs)
      }
      return null
    })
  })
  print(
    pid === null
      ? `restart was accepted for ${name}, but is not done yet; see: outpool services`
      : `${name} was started again, as process ${pid}`,
  )
}

/** Throws FailedError. */
function assertRestartable(
  { name, state, incident }: ListedService,
  configured: readonly ServiceConfig[],
): void {
  if (state === 'escalated')
    throw new FailedError(
      `an agent works on incident ${incident ?? '?'} of ${name}, and alone acts on it until it is done`,
      `see it with \`outpool incidents show ${incident ?? 'N'}\`, or end it with \`outpool services --pause ${name}\``,
    )
  if (configured.find((one) => one.name === name)?.run === null)
    throw new FailedError(
      `outpool only watches ${name}: it has no \`run\` in outpool.yaml`,
      'start it again yourself; the watchdog notices it',
    )
}

/** Signals and waits until the service shows it. */
async function signalAndWait(
  name: string,
  signal: 'pause' | 'resume',
  context: CommandContext,
): Promise<void> {
  const home = openHome()
  const { services: configured } = loadConfig({ path: context.config })
  const isDone = await withEngine(home, async (engine) => {
    await signalService(engine, name, watchdogSignals[signal], configured)
    const end = Date.now() + visibleWithinMs
    return engine.within(visibleWithinMs + 5_000, async () => {
      while (Date.now() < end) {
        const row = (await listServices(engine, home)).find((one) => one.name === name)
        if (row !== undefined && (row.state === 'paused') === (signal === 'pause')) return true
        await sleep(pollMs)
      }
      return false
    })
  })
  const done =
    signal === 'pause' ? 'paused: outpool keeps checking it, but does not touch it' : 'guarded again'
  print(
    isDone
      ? `${name} is ${done}`
      : `${signal} was accepted for ${name}, but is not done yet; see: outpool services`,
  )
}
