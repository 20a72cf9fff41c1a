/** What the running worker does with the configuration, for commands that show or change it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConfigInUse, readConfigInUse } from '../../config/state/configInUse.js'
import type { Config } from '../../config/config.js'

/** A worker looks at its file every second, and passes a change on within a few more. */
const takenOverWithin = 30_000
const pollEvery = 100

/** `other-file`: it uses another file. `kept`: it keeps an older text, with the reason. `pending`: it has not decided yet. */
export type Use =
  | { kind: 'no-worker' | 'in-use' | 'pending' }
  | { kind: 'other-file'; file: string }
  | { kind: 'kept'; why: string }

export function useOf({ file, digest }: Pick<Config, 'file' | 'digest'>): Use {
  const inUse = readConfigInUse()
  if (inUse === null) return { kind: 'no-worker' }
  if (inUse.file !== file) return { kind: 'other-file', file: inUse.file }
  if (inUse.digest === digest) return { kind: 'in-use' }
  return keptUse(inUse, digest)
}

/** Why a text with syntax errors is not in use is recorded without its digest. */
const keptUse = ({ kept }: ConfigInUse, digest: string): Use =>
  kept !== null && (kept.digest === digest || kept.digest === '')
    ? { kind: 'kept', why: kept.problem }
    : { kind: 'pending' }

/** Waits until the worker has taken the text over, or has said why not. */
export async function awaitUse(config: Pick<Config, 'file' | 'digest'>): Promise<Use> {
  const until = performance.now() + takenOverWithin
  for (;;) {
    const use = useOf(config)
    if (use.kind !== 'pending' || performance.now() > until) return use
    await sleep(pollEvery)
  }
}
