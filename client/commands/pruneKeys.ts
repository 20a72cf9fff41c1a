/** `outpool key prune`: removes keys that nothing stored can need any more. */
import { configuredEngine } from '../../config/load/temporalSettings.js'
import { idOfEntry, type KeyEntry, readKeyEntries } from '../../config/seal/keys.js'
import { removeSealKeys } from '../../config/seal/rotateKeys.js'
import { keyIdOfText } from '../../config/seal/sealedText.js'
import type { Home } from '../../config/state/home.js'
import { storedSessions } from '../../config/state/storedSessions.js'
import { formatList } from '../../policy/formatList.js'
import { keyVerdict, type KeyVerdict } from '../../policy/sealKeys.js'
import { type CommandContext, print, printJson, printNotice } from '../commandContext.js'
import { type Engine, withEngine } from '../engine/engine.js'
import { type KeyUse, keyUses, namespaceRetention, renew } from '../engine/keyUses.js'

/** A large database takes its time. Milliseconds. */
const searchWithin = 30 * 60_000
/** Clocks of processes on one host, and the second within which they take over a key. Milliseconds. */
const slack = 60 * 60_000
/** Enough to see what it is. */
const mostNamed = 3

interface PrunedKey {
  id: string
  verdict: KeyVerdict
  uses: KeyUse[]
}

/** Throws SealKeyError, EngineError. */
export async function prune(context: CommandContext, home: Home): Promise<void> {
  const isDryRun = context.flag('dry-run')
  const { keys, renewed } = await withEngine(home, (engine) =>
    engine.within(searchWithin, async () => {
      const judged = await judge(engine, home, Date.now())
      return { keys: judged, renewed: isDryRun ? 0 : await renewUses(engine, judged) }
    }),
  )
  const removed = keys.filter(({ verdict }) => verdict.kind === 'remove').map(({ id }) => id)
  if (!isDryRun && removed.length > 0) removeSealKeys(home, removed)
  if (context.json) printJson(keys.map(toRow))
  else for (const key of keys) print(`${key.id}  ${describe(key, isDryRun)}`)
  if (context.json) return
  if (renewed > 0)
    printNotice(
      `${renewed} ${renewed === 1 ? 'workflow begins' : 'workflows begin'} a new run under the current key; the engine removes the old runs in time`,
    )
  if (removed.length > 0 && !isDryRun)
    printNotice(
      configuredEngine() === null
        ? `back up ${home.sealKeys}`
        : `back up ${home.sealKeys}; run this on every other host of the fleet too`,
    )
}

/** In the order of the file. What is stored is searched only for keys that have not sealed for long enough. */
async function judge(engine: Engine, home: Home, now: number): Promise<PrunedKey[]> {
  const entries = readKeyEntries(home)
  const time = { retention: await namespaceRetention(engine), now }
  const verdictOf = (entry: KeyEntry, index: number, isInUse: boolean | null): KeyVerdict =>
    keyVerdict({ isCurrent: index === 0, sealedUntil: msOf(entry.until) }, isInUse, time)
  const due = entries.filter((entry, index) => verdictOf(entry, index, false).kind === 'remove')
  const uses = due.length === 0 ? [] : await usesOf(engine, home, due)
  return entries.map((entry, index) => {
    const id = idOfEntry(entry)
    const own = uses.filter(({ key }) => key === id)
    return { id, verdict: verdictOf(entry, index, own.length > 0), uses: own }
  })
}

async function usesOf(engine: Engine, home: Home, due: readonly KeyEntry[]): Promise<KeyUse[]> {
  const ids = new Set(due.map(idOfEntry))
  // Only this host seals what an embedded engine stores, so that it is known when that ended.
  const last = Math.max(...due.map(({ until }) => msOf(until) ?? 0))
  const startedBy = configuredEngine() === null ? new Date(last + slack) : null
  const kept = storedSessions(home).flatMap(({ session, sealed }): KeyUse[] => {
    const key = keyIdOfText(sealed) ?? ''
    return ids.has(key) ? [{ key, where: `the kept state of session ${session}`, renewable: null }] : []
  })
  return [...kept, ...(await keyUses(engine, ids, startedBy))]
}

/** Returns how many workflows were asked. */
async function renewUses(engine: Engine, keys: readonly PrunedKey[]): Promise<number> {
  const runs = new Map(
    keys.flatMap(({ uses }) =>
      uses.flatMap(({ where, renewable }) => (renewable === null ? [] : [[renewable, where] as const])),
    ),
  )
  let count = 0
  for (const [runId, workflowId] of runs) if (await renew(engine, workflowId, runId)) count += 1
  return count
}

const msOf = (instant: string | undefined): number | null =>
  instant === undefined ? null : Date.parse(instant)

const toRow = ({ id, verdict, uses }: PrunedKey) => ({
  ...{ id, removed: verdict.kind === 'remove', why: verdict.kind === 'keep' ? verdict.why : null },
  ...{ until: 'until' in verdict ? new Date(verdict.until).toISOString() : null },
  uses: [...new Set(uses.map(({ where }) => where))],
})

function describe({ verdict, uses }: PrunedKey, isDryRun: boolean): string {
  if (verdict.kind === 'remove')
    return `${isDryRun ? 'would be removed' : 'removed'}: nothing that it sealed is stored any more`
  switch (verdict.why) {
    case 'current':
      return 'kept: it seals what is new'
    case 'unused':
      return 'kept: it has not sealed on this host, and may be about to'
    case 'retention':
      return `kept: the engine may keep what it sealed until ${new Date(verdict.until).toISOString().slice(0, 10)}`
    case 'in-use': {
      const places = [...new Set(uses.map(({ where }) => where))]
      const more = places.length - mostNamed
      const named = [...places.slice(0, mostNamed), ...(more > 0 ? [`${more} more`] : [])]
      return `kept: it opens what ${formatList(named)} ${places.length === 1 ? 'holds' : 'hold'}`
    }
  }
}
