/** Law 9: a heartbeat names who beats. A heartbeat file proves life only if the service itself has written it. */
import { iso, toMs } from '../instants.js'
import type { ProvenBeat } from './service.js'

/** The content of a heartbeat file: `{ by, pid, at, doing? }`. */
export interface Beat {
  by: string
  pid: number
  at: string
  doing: string | null
}

/** What was found at the path of the heartbeat file. */
export type BeatReading =
  | { kind: 'beat'; beat: Beat }
  /** A file that holds no complete beat: only the instant of its last change is known. */
  | { kind: 'touched'; touchedAt: string }
  | { kind: 'absent' }
  /** The file can't be read: nothing follows from it about the service. */
  | { kind: 'unreadable'; why: string }

/** Process ids of the guarded process and its descendants, each with its start in ms since the epoch. */
export type ProcessTree = ReadonlyMap<number, number>

/** Starts of processes are known to a second or two, and a beat may be written during the observation. */
export const clockSlack = 3_000

export type BeatJudgement = { proves: true; beat: ProvenBeat } | { proves: false; why: string }

export function judgeBeat(
  reading: BeatReading,
  of: { service: string; tree: ProcessTree; anyone: boolean; now: number },
): BeatJudgement {
  const no = (why: string): BeatJudgement => ({ proves: false, why })
  switch (reading.kind) {
    case 'absent':
      return no('there is no heartbeat file')
    case 'unreadable':
      return no(`the heartbeat can't be read: ${reading.why}`)
    case 'touched':
      if (!of.anyone) return no('the heartbeat file was touched, but says not by whom')
      if (toMs(reading.touchedAt) > of.now + clockSlack) return no('the heartbeat file is from the future')
      return { proves: true, beat: { by: 'anyone', at: reading.touchedAt, doing: null } }
    case 'beat':
      return judgeSignedBeat(reading.beat, of)
  }
}

function judgeSignedBeat(
  { by, pid, at, doing }: Beat,
  { service, tree, now }: { service: string; tree: ProcessTree; now: number },
): BeatJudgement {
  const no = (why: string): BeatJudgement => ({ proves: false, why })
  const beatAt = toMs(at)
  if (by !== service) return no(`the last beat is by ${by}`)
  if (Number.isNaN(beatAt)) return no('the last beat has no instant')
  if (beatAt > now + clockSlack) return no('the last beat is from the future')
  const startedAt = tree.get(pid)
  if (startedAt === undefined) return no(`the last beat is by process ${pid}, which is not the service's`)
  if (beatAt < startedAt - clockSlack) return no(`the last beat is older than process ${pid}`)
  return { proves: true, beat: { by, at: iso(Math.min(beatAt, now)), doing } }
}
