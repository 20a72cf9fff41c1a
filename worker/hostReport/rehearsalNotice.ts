/** The notice of an agent program that no longer behaves as sessions need it. */
import type { OutpoolEvent } from '../../config/events/schema.js'
import { formatList } from '../../policy/formatList.js'
import { featuresOffText } from '../../policy/featureTexts.js'
import type { Announcement } from '../../policy/notices/notice.js'

/** As it is written in the files of events. */
export const rehearsedWord = '"agent-rehearsed"'

/** Null if the event is of another kind, or everything essential held. */
export function rehearsalNotice(event: OutpoolEvent, hostId: string): Announcement | null {
  if (event.kind !== 'agent-rehearsed') return null
  const { agent, version, missed, consequence, off } = event
  const essential = missed.filter(({ isEssential }) => isEssential).map(({ name }) => name)
  if (essential.length === 0) return null
  const means = featuresOffText(off) ?? consequence ?? 'not known'
  return {
    ...{ key: `rehearsal/${hostId}/${agent}/${version}`, kind: 'rehearsal' },
    title: `${agent} ${version} does not behave as expected`,
    text: `Not held in a rehearsal on ${hostId}: ${formatList(essential)}. What it means: ${means}. See \`outpool rehearse\`; with another version, new launches are as before.`,
  }
}
