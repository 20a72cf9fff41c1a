/** What workflows tell the worker that carries them out, and no history: it is lost with that worker. */
import type { Sinks } from '@temporalio/workflow'
import type { SessionMemo } from '../policy/session/session.js'

export interface WorkflowSinks extends Sinks {
  sessions: {
    /** A session has changed what it shows. */
    shown(memo: SessionMemo): void
  }
}
