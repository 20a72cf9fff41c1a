/** What the reports of one launch have said since its watch began. */
import type { AgentReport } from '../../agents/adapter/liveness.js'

/** Reasons with which the program ends because a person ended it. */
const endedByPersonReasons = ['prompt_input_exit', 'logout']

export class ReportState {
  /** A turn has failed, and the transcript entry that says why has not been seen yet. */
  isFailurePending = false
  /** The last turn has failed. */
  hasTurnFailed = false
  isEndedByPerson = false
  /** When a prompt was last submitted, ms since the epoch. */
  submittedAt = 0
  /** A person has begun another conversation in the pane. */
  newConversation: Extract<AgentReport, { kind: 'started' }> | null = null

  readonly #sessionId: string

  constructor(sessionId: string) {
    this.#sessionId = sessionId
  }

  apply(report: AgentReport): void {
    switch (report.kind) {
      case 'started':
        if (report.sessionId !== this.#sessionId) this.newConversation = report
        break
      case 'turn-started':
        this.isFailurePending = false
        this.hasTurnFailed = false
        this.submittedAt = Date.parse(report.at)
        break
      case 'turn-failed':
        // A subagent reports its wall to its parent, which goes on and meets the wall itself.
        if (report.subagent) break
        this.isFailurePending = true
        this.hasTurnFailed = true
        break
      case 'ended':
        this.isEndedByPerson = endedByPersonReasons.includes(report.reason)
        break
      case 'needs-person':
      case 'turn-ended':
      case 'quota':
        break
    }
  }
}
