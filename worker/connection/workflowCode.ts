/** The workflows as a worker runs them, with what goes around each of them, and what turns their failures into messages. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DataConverter } from '@temporalio/common'
import { bundleWorkflowCode, type BundleOptions, type WorkflowBundleOption } from '@temporalio/worker'
import { SealingCodec } from '../../config/seal/codec.js'
import type { SealKeys } from '../../config/seal/keys.js'

const at = (file: string): string => fileURLToPath(new URL(`../../workflows/${file}`, import.meta.url))

export const failureConverterPath = at('failureConverter.cjs')

/** For every bundle of workflows that is made from the sources; build.mjs names the same files. */
export const bundleInputs = {
  workflowsPath: at('index.ts'),
  workflowInterceptorModules: [at('sealing.ts')],
  failureConverterPath,
} satisfies BundleOptions

/** The bundle is made by the build; in a checkout without a build, the worker bundles the workflows itself. */
export async function workflowCode(): Promise<WorkflowBundleOption> {
  const codePath = at('bundle.js')
  return existsSync(codePath) ? { codePath } : bundleWorkflowCode(bundleInputs)
}

/** For every worker, and for the client of a worker, which sends failures too. */
export const sealedDataConverter = (keys: SealKeys, namespace: string): DataConverter => ({
  failureConverterPath,
  payloadCodecs: [new SealingCodec(keys, namespace)],
})
