/**
 * The background tasks and plans of an agent's process, and the plans of earlier processes. Kept in a file of the session,
 * because prompts of plans never leave the host (law 11).
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../config/state/readJson.js'
import type { AgentReport } from '../../agents/adapter/liveness.js'
import type {
  UnfinishedWork,
  ScheduledPrompt,
  RecordedPrompt,
  RunningTask,
  RestReport,
} from '../../policy/session/backgroundTasks.js'
import { writeFileAtomic } from './atomicFile.js'
import type { SessionRecords } from './sessionRecords.js'

const instant = z.iso.datetime({ offset: true })
const taskSchema = z.object({
  id: z.string(),
  kind: z.enum(['shell', 'subagent', 'other']),
  what: z.string(),
})
const planSchema = z.object({
  id: z.string(),
  dueAt: instant.nullable(),
  recurring: z.boolean(),
  prompt: z.string(),
})
const owedSchema = planSchema.extend({ madeAt: instant })

const workSchema = z.object({
  /** The launch that all fields but `owed` and `lost` are about. */
  fence: z.number().int(),
  /** When the agent last reported the end of a turn, or null. */
  saidAt: instant.nullable(),
  isAtRest: z.boolean(),
  tasks: z.array(taskSchema),
  plans: z.array(planSchema),
  /** Since when a planned move has been due for it, or null. */
  moveDueSince: instant.nullable(),
  /** One-shot plans of earlier launches that were not carried out yet. */
  owed: z.array(owedSchema),
  /** Tasks that ended with earlier processes, and of which no later process knows yet. */
  lost: z.array(taskSchema),
})
type Work = z.output<typeof workSchema>

/** More than a person would read. */
const maxKept = 50
/** The program rounds: the schedule and the transcript entry of one plan differ by up to this much. */
const samePlanTolerance = 2 * 60_000

const noWork = (fence: number): Work => ({
  ...{ fence, saidAt: null, isAtRest: false, tasks: [], plans: [], moveDueSince: null, owed: [], lost: [] },
})

export class BackgroundWork {
  readonly #records: SessionRecords
  readonly #known = new Map<string, Work | null>()

  constructor(records: SessionRecords) {
    this.#records = records
  }

  /** What the process of this launch last reported about itself. */
  reportedState(session: string, fence: number): RestReport & { plans: readonly ScheduledPrompt[] } {
    const work = this.#read(session)
    return work?.fence === fence ? work : noWork(fence)
  }

  recordTurnEnd(report: Extract<AgentReport, { kind: 'turn-ended' }>): void {
    const { session, fence, at, tasks = [], plans = [] } = report
    const before = this.#read(session) ?? noWork(fence)
    if (before.fence > fence || (before.fence === fence && (before.saidAt ?? '') >= at)) return
    const { owed, lost } = before
    const moveDueSince = before.fence === fence ? before.moveDueSince : null
    this.#write(session, { ...{ fence, saidAt: at, isAtRest: true, tasks, plans, moveDueSince, owed, lost } })
  }

  recordTurnStart(session: string, fence: number, at: string): void {
    const work = this.#read(session)
    if (work?.fence !== fence || !work.isAtRest || (work.saidAt ?? '') > at) return
    this.#write(session, { ...work, isAtRest: false })
  }

  /** Since when a planned move has been due for this launch. The first call records `now`. */
  moveDueSince(session: string, fence: number, now: string): string {
    const known = this.#read(session)
    const work = known?.fence === fence ? known : { ...noWork(fence), ...inherited(known) }
    if (work.moveDueSince !== null) return work.moveDueSince
    this.#write(session, { ...work, moveDueSince: now })
    return now
  }

  clearMoveDue(session: string, fence: number): void {
    const work = this.#read(session)
    if (work?.fence === fence && work.moveDueSince !== null)
      this.#write(session, { ...work, moveDueSince: null })
  }

  /**
   * To be called when the previous process has ended: its background tasks are lost, and its plans are owed. `left` is what its
   * transcript shows.
   */
  inherit(session: string, fence: number, left: UnfinishedWork): void {
    const before = this.#read(session) ?? noWork(0)
    if (before.fence >= fence) return
    const { saidAt, plans, tasks, owed, lost } = before
    const madeAt = saidAt ?? ''
    const said = plans.flatMap((plan): RecordedPrompt[] =>
      plan.recurring || plan.dueAt === null ? [] : [{ ...plan, madeAt }],
    )
    const unsaid = left.plans.filter((plan) => !said.some((other) => isSamePlan(plan, other)))
    const ended = [...lost, ...[...tasks, ...left.tasks].filter(({ id }) => !left.over.includes(id))]
    const next = {
      ...noWork(fence),
      owed: newestUnique([...owed, ...said, ...unsaid]),
      lost: newestUnique(ended),
    }
    const isEmpty = next.owed.length === 0 && next.lost.length === 0
    if (!isEmpty || this.#read(session) !== null) this.#write(session, next)
  }

  lost(session: string): RunningTask[] {
    return this.#read(session)?.lost ?? []
  }

  /** The new process was told which tasks were lost. */
  clearLost(session: string): void {
    const work = this.#read(session)
    if (work !== null && work.lost.length > 0) this.#write(session, { ...work, lost: [] })
  }

  owed(session: string): RecordedPrompt[] {
    return this.#read(session)?.owed ?? []
  }

  removePlan(session: string, plan: string): void {
    const work = this.#read(session)
    if (work?.owed.some(({ id }) => id === plan))
      this.#write(session, { ...work, owed: work.owed.filter(({ id }) => id !== plan) })
  }

  #file(session: string): string {
    return join(this.#records.folder(session), 'work.json')
  }

  #read(session: string): Work | null {
    const known = this.#known.get(session)
    if (known !== undefined) return known
    const work = readJson(this.#file(session), workSchema)
    this.#known.set(session, work)
    return work
  }

  /** Most processes have neither tasks nor plans; no file is kept for them. */
  #write(session: string, work: Work): void {
    const { tasks, plans, owed, lost, moveDueSince } = work
    const isBare = [tasks, plans, owed, lost].every((list) => list.length === 0) && moveDueSince === null
    const before = this.#read(session)
    this.#known.set(session, work)
    if (!isBare) writeFileAtomic(this.#file(session), JSON.stringify(work))
    else if (before !== null) rmSync(this.#file(session), { force: true })
  }
}

const inherited = (work: Work | null): Partial<Work> =>
  work === null ? {} : { owed: work.owed, lost: work.lost }

const isSamePlan = (a: RecordedPrompt, b: RecordedPrompt): boolean =>
  a.id === b.id ||
  (a.prompt.trim() === b.prompt.trim() &&
    Math.abs(Date.parse(a.dueAt ?? '') - Date.parse(b.dueAt ?? '')) < samePlanTolerance)

/** Each id once, with its newest item. */
const newestUnique = <T extends { id: string }>(items: readonly T[]): T[] =>
  [...new Map(items.map((item) => [item.id, item])).values()].slice(-maxKept)
