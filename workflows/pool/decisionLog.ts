/** What the pool has decided, in words: the newest decisions, for the details page of the Web UI. */
import { formatClock, toMs } from '../../policy/instants.js'
import type { Decision } from '../../policy/pool/transitions.js'

export interface DecisionLine {
  /** ISO 8601 in UTC. */
  at: string
  text: string
}

/** Decisions that are kept, also in a new run. A herd shows its last ones. */
const linesMax = 20
/** The reason may list every account. */
const textMax = 200

export function appendDecisions(
  log: readonly DecisionLine[] = [],
  { grants, denials, failbacks, probes }: Decision,
  now: string,
): DecisionLine[] {
  const lines = [
    ...grants.map(({ session, grant }) => `**${session}** → ${grant.place.name}: ${grant.why}`),
    ...denials.map(
      ({ session, denial }) =>
        `**${session}** waits until ${formatClock(toMs(denial.retryAt), toMs(now))}: ${denial.why}`,
    ),
    ...failbacks.map(({ session, why }) => `**${session}** may leave its fallback: ${why}`),
    ...probes.map((account) => `${account} is asked for its usage`),
  ]
  return [...log, ...lines.map((text) => ({ at: now, text: text.slice(0, textMax) }))].slice(-linesMax)
}
