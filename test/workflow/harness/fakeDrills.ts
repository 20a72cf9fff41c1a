/**
 * The host's part in a drill on the test server: it shows the session as its workflow describes it, and an
 * agent that runs has answered.
 */
import { Context } from '@temporalio/activity'
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import type {
  DrillActivities,
  DrillSetup,
  DrillWatchRequest,
  DrillWatchResult,
} from '../../../activities/contracts.js'
import { type DrillReport, isReached } from '../../../policy/independence/drill.js'
import type { SessionDetails } from '../../../policy/session/session.js'

/** How often a watch checks, in virtual time. */
const pollEvery = 5_000

export class FakeDrills {
  readonly reports: DrillReport[] = []
  /** Set by the test pool, which can query the workflows. */
  describe: (session: string) => Promise<SessionDetails> = () =>
    Promise.reject(new Error('FakeDrills.describe was not set'))
  fallbacks: string[] = []
  /** What keeps a drill from beginning. */
  failure: ApplicationFailure | null = null

  activities(): DrillActivities {
    return {
      prepareDrill: () => this.#open(),
      watchDrill: (request) => this.#watch(request),
      writeDrillReport: (report) => {
        this.reports.push(report)
        return Promise.resolve(`/drills/${report.session}.json`)
      },
    }
  }

  #open(): Promise<DrillSetup> {
    return this.failure === null
      ? Promise.resolve({ cwd: '/drills/work', fallbacks: this.fallbacks })
      : Promise.reject(this.failure)
  }

  async #watch({ session, stage, until }: DrillWatchRequest): Promise<DrillWatchResult> {
    const { phase, account, substrate, pid } = await this.describe(session)
    const observation = { phase, account, substrate, answered: pid !== null }
    const reached = isReached(stage, observation)
    if (reached || Context.current().info.currentAttemptScheduledTimestampMs >= Date.parse(until))
      return { reached, observation }
    throw ApplicationFailure.create({
      ...{ type: 'NotYet', message: 'it is not there yet', nextRetryDelay: pollEvery },
      category: ApplicationFailureCategory.BENIGN,
    })
  }
}
