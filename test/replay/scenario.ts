import type { WorkflowHandle } from '@temporalio/client'
import type { Stage, StageOptions } from '../workflow/harness/stage.js'

/** One kind of life that is recorded. */
export interface Scenario {
  options: StageOptions
  /** Answers the one whose history is kept. */
  play: (stage: Stage) => Promise<WorkflowHandle>
}
