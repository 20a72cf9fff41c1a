/** `outpool tasks` */
import type { Colors } from 'picocolors/types.js'
import { openHome } from '../../config/state/home.js'
import { loadConfig } from '../../config/load/load.js'
import type { TaskView } from '../../policy/tasks/tasks.js'
import { type CommandContext, print, printJson } from '../commandContext.js'
import { withEngine } from '../engine/engine.js'
import { UsageError } from '../errors.js'
import { type Column, renderTable } from '../output/table.js'
import { checkTask, findTask, scheduleOf, readTaskView } from '../engine/tasks.js'
import { oneLine } from '../output/terminal.js'
import { ago, ahead } from '../output/times.js'

export async function tasks(context: CommandContext): Promise<void> {
  const config = loadConfig({ path: context.config })
  const [pause, resume] = [context.option('pause'), context.option('resume')]
  if (pause !== null && resume !== null)
    throw new UsageError('both --pause and --resume are given', 'give only one of them')
  const change = pause ?? resume
  const home = openHome()
  if (change !== null) {
    const { name } = checkTask(change, config)
    await withEngine(home, async (engine) => {
      await findTask(engine, name)
      const schedule = scheduleOf(engine, name)
      await (pause === null ? schedule.unpause('by outpool tasks') : schedule.pause('by outpool tasks'))
    })
    print(
      pause === null
        ? `${name} runs again when it is due`
        : `${name} is paused; a run that has begun goes on`,
    )
    return
  }
  const rows = await withEngine(home, (engine) =>
    Promise.all(config.tasks.map((task) => readTaskView(engine, task))),
  )
  if (context.json) printJson(rows)
  else if (rows.length === 0) print('No tasks. Add them under `tasks` in outpool.yaml.')
  else print(screen(rows, context.width, context.colors, new Date()))
}

function screen(rows: TaskView[], width: number, colors: Colors, now: Date): string {
  const asking = rows.flatMap(({ attention }) => (attention === null ? [] : [attention]))
  return [
    renderTable(rows, columnsFor(colors, now), width, colors),
    ...asking.map((sentence) => `${colors.yellow('!')} ${oneLine(sentence)}`),
  ].join('\n')
}

function columnsFor(colors: Colors, now: Date): Column<TaskView>[] {
  return [
    { title: 'NAME', text: (row) => row.name, paint: (text) => colors.bold(text), shrink: 'end' },
    { title: 'KIND', text: (row) => row.kind },
    { title: 'EVERY', text: (row) => row.every, align: 'right' },
    { title: 'LAST RUN', text: (row) => (row.lastRunAt === null ? '-' : ago(row.lastRunAt, now)) },
    {
      title: 'RESULT',
      text: resultOf,
      paint: (text, row) => paintResult(text, row, colors),
      shrink: 'end',
      least: 16,
    },
    { title: 'NEXT', text: (row) => nextOf(row, now) },
  ]
}

function resultOf({ running, lastResult, failures }: TaskView): string {
  if (running) return 'running'
  if (lastResult === null) return '-'
  if (lastResult.ok) return 'ok'
  return `failed${failures > 1 ? ` ${failures} times` : ''}: ${lastResult.error ?? ''}`
}

function paintResult(text: string, { running, lastResult }: TaskView, colors: Colors): string {
  if (running || lastResult === null) return text
  return lastResult.ok ? colors.green(text) : colors.red(text)
}

function nextOf({ paused, nextRunAt }: TaskView, now: Date): string {
  if (paused) return 'paused'
  return nextRunAt === null ? 'not set up' : ahead(nextRunAt, now)
}
