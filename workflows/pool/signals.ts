/** Signals from the pool to its sessions. */
import type { SignalDefinition } from '@temporalio/common'
import { getExternalWorkflowHandle } from '@temporalio/workflow'
import { sessionWorkflowId } from '../../policy/ids.js'

/** Signals sent in one workflow task: more would make the task long, and incoming signals would pile up behind it. */
const signalsPerBatch = 100

/** Returns the names of the sessions whose workflows have ended. */
export async function sendInBatches(signals: readonly (() => Promise<string | null>)[]): Promise<string[]> {
  const ended: string[] = []
  for (let from = 0; from < signals.length; from += signalsPerBatch) {
    const batch = await Promise.all(signals.slice(from, from + signalsPerBatch).map((send) => send()))
    ended.push(...batch.filter((session) => session !== null))
  }
  return ended
}

/** Returns the session's name if its workflow has ended: what it holds is free again. */
export async function signalSession<Args extends unknown[]>(
  session: string,
  signal: SignalDefinition<Args>,
  ...message: Args
): Promise<string | null> {
  try {
    await getExternalWorkflowHandle(sessionWorkflowId(session)).signal(signal, ...message)
    return null
  } catch {
    return session
  }
}
