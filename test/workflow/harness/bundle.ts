/** The workflow bundle: built once per run of the tests, and passed to each worker as a file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  bundleWorkflowCode,
  DefaultLogger,
  type InjectedSinks,
  type WorkflowBundleOption,
} from '@temporalio/worker'
import { bundleInputs } from '../../../worker/connection/workflowCode.js'
import type { WorkflowSinks } from '../../../workflows/sinks.js'

/** For workers that need not know what sessions show. */
export const noSinks: InjectedSinks<WorkflowSinks> = { sessions: { shown: { fn: () => undefined } } }

/** Passes the path of the bundle to the processes of the test files. */
const variable = 'OUTPOOL_TEST_BUNDLE'

const bundle = () => bundleWorkflowCode({ ...bundleInputs, logger: new DefaultLogger('ERROR') })

/**
 * The bundle of this run of the tests; outside of one, for example when histories are recorded, a new one.
 */
export async function workflowBundle(): Promise<WorkflowBundleOption> {
  const codePath = process.env[variable]
  return codePath === undefined ? bundle() : { codePath }
}

/**
 * Vitest calls it for each project that names it, all at the same time, and begins when every call has ended.
 */
export async function setup(): Promise<(() => void) | undefined> {
  if (process.env[variable] !== undefined) return undefined
  const dir = mkdtempSync(join(tmpdir(), 'outpool-bundle-'))
  const codePath = join(dir, 'workflows.js')
  // Set before the first await: the calls for other projects leave the work to this one.
  process.env[variable] = codePath
  writeFileSync(codePath, (await bundle()).code)
  return () => rmSync(dir, { recursive: true, force: true })
}
