/** The host's part in a drill, on a stage: it sees the session as its workflow describes it, and an agent that runs has answered. */
import { Context } from '@temporalio/activity'
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import type { DrillActivities, DrillGround, DrillLook, DrillSeen } from '../../../activities/contracts.js'
import { type DrillReport, isReached } from '../../../policy/drill.js'
import type { SessionDetails } from '../../../policy/session.js'

/** How often a watch looks, in virtual time. */
const lookEvery = 5_000

export class DrillSide {
  readonly reports: DrillReport[] = []
  /** Told by the stage, which can ask the workflows. */
  describe: (session: string) => Promise<SessionDetails> = () => Promise.reject(new Error('no stage'))
  fallbacks: string[] = []
  /** What keeps a drill from beginning. */
  fault: ApplicationFailure | null = null

  activities(): DrillActivities {
    return {
      openDrill: () => this.#open(),
      watchDrill: (look) => this.#watch(look),
      reportDrill: (report) => {
        this.reports.push(report)
        return Promise.resolve(`/drills/${report.session}.json`)
      },
    }
  }

  #open(): Promise<DrillGround> {
    return this.fault === null
      ? Promise.resolve({ cwd: '/drills/work', fallbacks: this.fallbacks })
      : Promise.reject(this.fault)
  }

  async #watch({ session, stage, until }: DrillLook): Promise<DrillSeen> {
    const { phase, account, substrate, pid } = await this.describe(session)
    const sight = { phase, account, substrate, answered: pid !== null }
    const reached = isReached(stage, sight)
    if (reached || Context.current().info.currentAttemptScheduledTimestampMs >= Date.parse(until))
      return { reached, sight }
    throw ApplicationFailure.create({
      ...{ type: 'NotYet', message: 'it is not there yet', nextRetryDelay: lookEvery },
      category: ApplicationFailureCategory.BENIGN,
    })
  }
}
