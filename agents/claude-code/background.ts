/** Work outside the program's turns: background shells, background agents and planned wake-ups. */
import { copyFile, mkdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../../policy/parseJson.js'
import type {
  UnfinishedWork,
  ScheduledPrompt,
  RecordedPrompt,
  RunningTask,
} from '../../policy/session/backgroundTasks.js'
import { nextFiring } from './schedule.js'
import { eachLine } from './transcript/lines.js'

const id = z.string().regex(/^[\w-]{1,100}$/)
const taskSchema = z.looseObject({
  id,
  type: z.string().default(''),
  status: z.string().default('running'),
  description: z.string().optional(),
  agent_type: z.string().optional(),
})
const cronSchema = z.looseObject({
  id,
  schedule: z.string().max(200),
  recurring: z.boolean().default(false),
  prompt: z.string(),
})
const list = z.array(z.unknown()).catch([])
const stopSchema = z.looseObject({ background_tasks: list, session_crons: list })

/** Items beyond this number are ignored; a person would not read that many. */
const itemsMax = 50
/** A longer prompt is not a reminder, and is left to the program. */
const promptMax = 64 * 1024
const whatMax = 200

/** Tasks and plans from the body of a `Stop` hook, written at `at`; empty if there is no body. */
export function parseStopHook(
  json: unknown,
  at: string,
): { tasks?: RunningTask[]; plans?: ScheduledPrompt[] } {
  const stop = stopSchema.safeParse(json).data
  if (stop === undefined) return {}
  const tasks = stop.background_tasks.slice(0, itemsMax).flatMap((one): RunningTask[] => {
    const task = taskSchema.safeParse(one).data
    if (task === undefined || !['running', 'pending'].includes(task.status)) return []
    const kind = kindOf(task.type)
    return [{ id: task.id, kind, what: oneLine(task.description ?? task.agent_type ?? task.type) }]
  })
  const plans = stop.session_crons.slice(0, itemsMax).flatMap((one): ScheduledPrompt[] => {
    const cron = cronSchema.safeParse(one).data
    if (cron === undefined || cron.prompt.length > promptMax) return []
    const { schedule, recurring, prompt } = cron
    const dueAt = nextFiring(schedule, new Date(at))?.toISOString() ?? null
    return [{ id: cron.id, dueAt, recurring, prompt }]
  })
  return { tasks, plans }
}

const kindOf = (type: string): RunningTask['kind'] =>
  type === 'shell' || type === 'subagent' ? type : 'other'

const oneLine = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .replaceAll('"', "'")
    .trim()
    .slice(0, whatMax)

const toolUseSchema = z.looseObject({
  type: z.literal('assistant'),
  message: z.looseObject({ content: z.array(z.looseObject({ type: z.string() })) }),
})
const toolUse = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string(),
  name: z.string(),
  input: z.looseObject({
    description: z.string().optional(),
    prompt: z.string().optional(),
    id: z.string().optional(),
  }),
})
type ToolUse = z.output<typeof toolUse>

const instantMs = z.number().positive().max(8.64e15)
const resultSchema = z.looseObject({
  type: z.literal('user'),
  timestamp: z.iso.datetime({ offset: true }),
  message: z.looseObject({ content: z.array(z.looseObject({ tool_use_id: z.string().optional() })) }),
  toolUseResult: z.looseObject({
    backgroundTaskId: id.optional(),
    isAsync: z.boolean().optional(),
    agentId: id.optional(),
    description: z.string().optional(),
    scheduledFor: instantMs.optional(),
    nextFireAt: instantMs.optional(),
    recurring: z.boolean().optional(),
    id: id.optional(),
  }),
})
type Result = z.output<typeof resultSchema>

const noticeSchema = z.looseObject({ type: z.enum(['user', 'attachment', 'queue-operation']) })

/** The notification that the program queues, and then gives to the model, when a task has ended. */
const taskEndedPattern = /<task-notification>\s*<task-id>([\w-]+)<\/task-id>[\s\S]*?<status>(\w+)<\/status>/g

const mentionsWorkPattern =
  /backgroundTaskId|"isAsync"|run_in_background|task-notification|"(?:Agent|ScheduleWakeup|CronCreate)"|scheduledFor|nextFireAt/

/**
 * Includes work from a turn that a wall interrupted, which no hook reports. The program queues notifications of killed tasks as it
 * ends; only notifications that were given to the model count.
 */
export async function readUnfinishedWork(transcript: string, offset: number): Promise<UnfinishedWork> {
  const running = new Map<string, RunningTask>()
  const planned: RecordedPrompt[] = []
  const over = new Set<string>()
  const calls = new Map<string, ToolUse>()
  await eachLine(transcript, offset, (line) => {
    if (!mentionsWorkPattern.test(line)) return
    const entry = parseJson(line)
    for (const call of toolCallsIn(entry)) calls.set(call.id, call)
    const result = resultSchema.safeParse(entry).data
    if (result !== undefined) {
      const used = result.message.content.find(({ tool_use_id }) => tool_use_id !== undefined)?.tool_use_id
      const call = calls.get(used ?? '')
      const task = startedTask(result, call)
      if (task !== null) running.set(task.id, task)
      const plan = plannedWakeUp(result, call)
      if (plan !== null) planned.push(plan)
      return
    }
    const notice = noticeSchema.safeParse(entry).data
    if (notice === undefined) return
    for (const [, task = '', status] of JSON.stringify(entry)
      .replaceAll('\\n', '\n')
      .matchAll(taskEndedPattern))
      if (notice.type !== 'queue-operation' || status === 'completed' || status === 'failed') over.add(task)
  })
  const tasks = [...running.values()].filter((task) => !over.has(task.id)).slice(0, itemsMax)
  return { tasks, over: [...over], plans: planned.slice(-itemsMax) }
}

const toolCallsIn = (entry: unknown): ToolUse[] =>
  (toolUseSchema.safeParse(entry).data?.message.content ?? []).flatMap((block) => {
    const call = toolUse.safeParse(block).data
    return call === undefined ? [] : [call]
  })

function startedTask({ toolUseResult: result }: Result, call: ToolUse | undefined): RunningTask | null {
  const { backgroundTaskId: shell, agentId, isAsync, description } = result
  if (shell !== undefined)
    return { id: shell, kind: 'shell', what: oneLine(call?.input.description ?? 'a shell command') }
  if (isAsync !== true || agentId === undefined) return null
  return { id: agentId, kind: 'subagent', what: oneLine(description ?? 'a subagent') }
}

function plannedWakeUp(
  { toolUseResult: result, timestamp }: Result,
  call: ToolUse | undefined,
): RecordedPrompt | null {
  const prompt = call?.input.prompt
  const due = result.scheduledFor ?? (result.recurring === false ? result.nextFireAt : undefined)
  if (call === undefined || prompt === undefined || prompt.length > promptMax || due === undefined)
    return null
  const planId = result.id ?? call.id
  return { id: planId, dueAt: new Date(due).toISOString(), recurring: false, prompt, madeAt: timestamp }
}

const subagentFile = (transcript: string, agent: string, ending: string): string =>
  join(dirname(transcript), basename(transcript, '.jsonl'), 'subagents', `agent-${agent}.${ending}`)

/** A subagent can be continued by its id if its own transcript is beside the conversation's. Forks have another id, and none. */
export async function copySubagents(from: string, to: string, ids: readonly string[]): Promise<string[]> {
  if (basename(from) !== basename(to)) return []
  const copied: string[] = []
  for (const agent of ids) {
    for (const ending of ['jsonl', 'meta.json']) {
      const [source, target] = [subagentFile(from, agent, ending), subagentFile(to, agent, ending)]
      if ((await sizeOf(source)) <= (await sizeOf(target))) continue
      await mkdir(dirname(target), { recursive: true, mode: 0o700 })
      await copyFile(source, target)
    }
    if ((await sizeOf(subagentFile(to, agent, 'jsonl'))) > 0) copied.push(agent)
  }
  return copied
}

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => null))?.size ?? 0

const timedSchema = z.looseObject({ timestamp: z.iso.datetime({ offset: true }) })
const scheduledSchema = z.looseObject({
  type: z.literal('user'),
  turnOrigin: z.literal('scheduled'),
  message: z.looseObject({ content: z.string() }),
})
const queuedSchema = z.looseObject({
  type: z.literal('queue-operation'),
  operation: z.literal('enqueue'),
  content: z.string(),
})

/**
 * The program restores some one-shot plans with `--resume` and carries them out itself. A wake-up that the model plans later
 * replaces an earlier one.
 */
export async function isPlanOver(
  transcript: string,
  plan: Pick<ScheduledPrompt, 'id' | 'prompt'>,
  since: string,
): Promise<boolean> {
  let isOver = false
  const wanted = plan.prompt.trim()
  await eachLine(transcript, 0, (line) => {
    if (isOver || !/"scheduled"|"enqueue"|ScheduleWakeup|CronDelete/.test(line)) return
    const entry = parseJson(line)
    const at = timedSchema.safeParse(entry).data?.timestamp
    if (at === undefined || Date.parse(at) <= Date.parse(since)) return
    const said =
      scheduledSchema.safeParse(entry).data?.message.content ?? queuedSchema.safeParse(entry).data?.content
    if (said?.trim() === wanted) isOver = true
    for (const { name, input } of toolCallsIn(entry))
      if (name === 'ScheduleWakeup' || (name === 'CronDelete' && input.id === plan.id)) isOver = true
  })
  return isOver
}
