/** Keys of `outpool.yaml` that have another name now. */

const retentionBound = { for: 'maxAge', atMost: 'maxCount' }
const substrate = { cooldownAtMost: 'cooldownMax' }

/** Old key -> new key, by the section that holds it; items of a list are found under the list's own name. */
const renamedKeys: Record<string, Record<string, string>> = {
  timing: {
    backgroundWait: 'backgroundWaitMax',
    lookEvery: 'pollEvery',
    retryAtMost: 'retryMaxInterval',
    restAtMost: 'failureBackoffMax',
    crashPause: 'crashBackoff',
    waveEvery: 'admissionInterval',
    leftOutFor: 'failedStartExclusion',
    placeKept: 'failbackReservation',
    pageStands: 'startPageExclusion',
    movesAtOnce: 'maxConcurrentMoves',
  },
  substrates: substrate,
  reservedSubstrates: substrate,
  notices: { settle: 'settleFor', retryAtMost: 'retryMaxInterval' },
  drill: { within: 'timeout' },
  'keep.sessions': retentionBound,
  'keep.forks': retentionBound,
  'keep.handOvers': retentionBound,
  'keep.incidents': retentionBound,
  tasks: { maxOutput: 'maxOutputSize' },
  'tasks.imap': { atMost: 'maxMails', maxText: 'maxTextSize' },
  'services.busyCheck': { atMost: 'maxBusy' },
  'services.restarts': { pause: 'backoff', pauseAtMost: 'backoffMax' },
  'services.wakeUp': {
    beatWithin: 'heartbeatWithin',
    retryAtMost: 'retryMaxInterval',
    verifyWithin: 'verifyTimeout',
  },
}

/** The present name of `key` in the section at `path`; null if the key never had another name. */
export function newNameOf(path: readonly (string | number)[], key: string): string | null {
  const section = path.filter((part) => typeof part === 'string').join('.')
  return new Map(Object.entries(renamedKeys[section] ?? {})).get(key) ?? null
}
