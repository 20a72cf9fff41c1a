/** What a person loses with each feature that is off. */
import type { Feature, FeatureOff } from './features.js'
import { formatList } from './formatList.js'

/** A sentence without an end mark. */
export const featureTexts: Readonly<Record<Feature, string>> = {
  moves: 'sessions are not moved: at a wall each waits for its account',
  fallbacks: 'no session goes to a fallback: each waits for an account',
  'status-line': 'what accounts use is read by probes alone',
  'input-line': 'no text is typed, and a session to which a person was attached is moved only by them',
  stash: 'texts wait while there is a draft in the input line',
  editor: 'a draft goes along as its screen shows it, and one that does not fit there holds up the move',
}

/** What all of them mean, on one line without an end mark; null if nothing is off. */
export const featuresOffText = (off: readonly Feature[]): string | null =>
  off.length === 0 ? null : off.map((feature) => featureTexts[feature]).join('; ')

/** Why a session waits for one account although others may be able, and what a person can do about it. */
export function movesOffAttention(
  off: readonly FeatureOff[] | undefined,
  { session, agent, account }: { session: string; agent: string; account: string },
): string | null {
  const missed = off?.find(({ feature }) => feature === 'moves')?.missed
  if (missed === undefined) return null
  return `it waits for ${account}, because the installed ${agent} does not do what a move needs (${formatList(missed)}; see outpool rehearse): install another version, then outpool move ${session} --to ACCOUNT`
}
