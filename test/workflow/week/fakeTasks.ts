/** The loop's part of a host: task runs, which succeed or fail as the week's plan says. */
import type { TaskActivities } from '../../../activities/tasks/contracts.js'
import { failedOutcome, type TaskOutcome } from '../../../policy/tasks/tasks.js'
import { type Attempts, stepKey } from '../harness/attempts.js'
import type { TaskEnd, WeekPlan } from './plan.js'

/** The error of a failed run. */
export const reasons: Record<Exclude<TaskEnd, 'well'>, string> = {
  fails: 'it ended with exit code 4',
  throws: 'no mail server answers',
}

const well: TaskOutcome = { ok: true, error: null, summary: 'ended well', file: null }

export class FakeTasks {
  readonly violations: string[] = []
  /** The instant for which the newest run of each task was due. */
  readonly due = new Map<string, number>()
  readonly #plan: WeekPlan
  readonly #attempts: Attempts
  /** The newest step of each task, and when its work is done. */
  readonly #running = new Map<string, { step: string; doneAt: number }>()

  constructor(plan: WeekPlan, attempts: Attempts) {
    this.#plan = plan
    this.#attempts = attempts
  }

  activities(): Pick<TaskActivities, 'runProgram' | 'pollMail'> {
    return {
      // It has only one attempt, so it ends where it begins.
      runProgram: async ({ task }) => this.#ended(await Promise.resolve(task)),
      pollMail: async ({ task }) => this.#poll(await Promise.resolve(task)),
    }
  }

  #poll(task: string): TaskOutcome {
    const now = this.#attempts.now()
    const known = this.#running.get(task)
    const isSame = known?.step === stepKey()
    if (known !== undefined && !isSame && now < known.doneAt)
      this.violations.push(`two runs of ${task} at once`)
    const doneAt = isSame ? known.doneAt : now + this.#outcome(task).takes
    this.#running.set(task, { step: stepKey(), doneAt })
    if (now < doneAt) throw this.#attempts.retryAt(doneAt)
    return this.#ended(task)
  }

  #ended(task: string): TaskOutcome {
    const { kind } = this.#outcome(task)
    if (kind === 'throws') throw new Error(reasons.throws)
    return kind === 'fails' ? failedOutcome(reasons.fails) : well
  }

  #outcome(task: string) {
    return this.#plan.tasks.find(({ name }) => name === task)!.outcome(this.due.get(task)!)
  }
}
