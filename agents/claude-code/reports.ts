/** The reports that `report.sh` writes: which events, and how each file is parsed. */
import { z } from 'zod'
import { boundedText } from '../../policy/boundedText.js'
import { parseJson } from '../../policy/parseJson.js'
import type { AgentReport } from '../adapter/liveness.js'
import { parseStopHook } from './background.js'
import { statusLineWindows } from './limits/quota.js'

/**
 * The reported events, and whether their bodies are kept. Bodies of `drop` events hold prompts, answers or tool input, and Outpool
 * only needs to know that they happened. The body of `Stop` lists background tasks, but may hold an answer too: only the newest is
 * kept, and only until it is read.
 */
export const hookEvents = {
  SessionStart: 'keep',
  UserPromptSubmit: 'drop',
  Stop: 'newest',
  StopFailure: 'keep',
  Notification: 'keep',
  PermissionRequest: 'drop',
  SessionEnd: 'keep',
} as const

export const statusLineEvent = 'StatusLine'

/** `<session>.<fence>.<event>.<process>-<try>`, or `.last` if only the newest is kept; no part holds a dot. */
const fileNamePattern = /^([a-z0-9][a-z0-9_-]{0,62})\.(\d{1,15})\.([A-Za-z]+)\.(?:\d+-\d+|last)$/

/** A sentence of the program. */
const sentence = z.string().transform((text) => boundedText(text, 500))

const sessionStart = z.object({
  session_id: z.string().max(128),
  transcript_path: z.string().max(4_096),
  source: sentence.default('startup'),
})
const stopFailure = z.object({ error: sentence.default('unknown'), agent_id: z.string().optional() })
const notification = z.object({ message: sentence.default(''), notification_type: z.string().optional() })
const sessionEnd = z.object({ reason: sentence.default('other') })

/** Notifications that ask a person for something; the others are only news. */
const personPrompts = new Set(['permission_prompt', 'elicitation_dialog', 'worker_permission_prompt'])

/** `at` is the file's modification time in ISO 8601. Null for a file that is not a report, is cut off, or is of no use. */
export function parseReport(fileName: string, body: string, at: string): AgentReport | null {
  const [, session, fenceText, event] = fileNamePattern.exec(fileName) ?? []
  if (session === undefined || event === undefined) return null
  const head = { session, fence: Number(fenceText), at }
  switch (event) {
    case 'UserPromptSubmit':
      return { ...head, kind: 'turn-started' }
    case 'PermissionRequest':
      return { ...head, kind: 'needs-person', what: 'permission prompt' }
    default:
  }
  const json = parseJson(body)
  switch (event) {
    case 'Stop':
      return { ...head, kind: 'turn-ended', ...parseStopHook(json, at) }
    case 'SessionStart': {
      const start = sessionStart.safeParse(json).data
      return start === undefined
        ? null
        : {
            ...head,
            kind: 'started',
            sessionId: start.session_id,
            transcript: start.transcript_path,
            source: start.source,
          }
    }
    case 'StopFailure': {
      const failure = stopFailure.safeParse(json).data
      return failure === undefined
        ? null
        : { ...head, kind: 'turn-failed', error: failure.error, subagent: failure.agent_id !== undefined }
    }
    case 'Notification': {
      const note = notification.safeParse(json).data
      return note === undefined || !personPrompts.has(note.notification_type ?? '')
        ? null
        : { ...head, kind: 'needs-person', what: note.message }
    }
    case 'SessionEnd': {
      const end = sessionEnd.safeParse(json).data
      return end === undefined ? null : { ...head, kind: 'ended', reason: end.reason }
    }
    case statusLineEvent: {
      const windows = statusLineWindows(json, at)
      return windows.length === 0 ? null : { ...head, kind: 'quota', windows }
    }
    default:
      return null
  }
}
