import type { WorkflowHandle } from '@temporalio/client'
import type { TestPool, TestPoolOptions } from '../workflow/harness/testPool.js'

/** One scenario that is recorded. */
export interface Scenario {
  options: TestPoolOptions
  /** Returns the workflow whose history is kept. */
  run: (testPool: TestPool) => Promise<WorkflowHandle>
}
