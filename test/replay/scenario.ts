import type { WorkflowHandle } from '@temporalio/client'
import type { TestPool, TestPoolOptions } from '../workflow/harness/testPool.js'

/** One kind of life that is recorded. */
export interface Scenario {
  options: TestPoolOptions
  /** Answers the one whose history is kept. */
  run: (testPool: TestPool) => Promise<WorkflowHandle>
}
