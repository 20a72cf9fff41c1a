/**
 * Changes the file of keys. A key must be known to every host before any of them seals with it, since a signal under an unknown key is
 * dropped; it has to stay for as long as something that it sealed is kept.
 */
import { SealKeyError } from '../errors.js'
import type { Home } from '../state/home.js'
import { replaceFile } from '../state/replaceFile.js'
import { fileText, idOfEntry, type KeyEntry, newEntry, readKeyEntries } from './keys.js'

/** Far more than a fleet needs at a time. */
const mostKeys = 50

/** Adds a key that only opens, for now. Returns its id. Throws SealKeyError. */
export function addSealKey(home: Home, now: Date): string {
  const entries = readKeyEntries(home)
  if (entries.length >= mostKeys)
    throw new SealKeyError(
      `${home.sealKeys} holds ${entries.length} keys already`,
      'remove those that nothing stored needs any more: outpool key prune',
    )
  const added = newEntry(now)
  write(home, [...entries, added])
  return idOfEntry(added)
}

/** From now on this key seals what is new, and the others still open. Throws SealKeyError if this host does not have it. */
export function useSealKey(home: Home, id: string, now: Date): void {
  const entries = readKeyEntries(home)
  const chosen = entries.find((entry) => idOfEntry(entry) === id)
  if (chosen === undefined)
    throw new SealKeyError(
      `${home.sealKeys} has no key ${id}, only ${entries.map(idOfEntry).join(', ')}`,
      'copy the file from the host on which the key was made, with mode 0600',
    )
  const { key, since } = chosen
  const others = entries.flatMap((entry, index) => {
    if (entry === chosen) return []
    return index === 0 ? [{ ...entry, until: now.toISOString() }] : [entry]
  })
  write(home, [{ key, since }, ...others])
}

/** Never the current key, whatever is asked for. Throws SealKeyError. */
export function removeSealKeys(home: Home, ids: readonly string[]): void {
  const [current, ...others] = readKeyEntries(home)
  if (current === undefined) return
  write(home, [current, ...others.filter((entry) => !ids.includes(idOfEntry(entry)))])
}

const write = (home: Home, entries: readonly KeyEntry[]): void =>
  replaceFile(home.sealKeys, fileText(entries))
