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
      'remove those from its end that sealed nothing that the engine still keeps',
    )
  const added = newEntry(now)
  write(home, [...entries, added])
  return idOfEntry(added)
}

/** From now on this key seals what is new, and the others still open. Throws SealKeyError if this host does not have it. */
export function useSealKey(home: Home, id: string): void {
  const entries = readKeyEntries(home)
  const chosen = entries.find((entry) => idOfEntry(entry) === id)
  if (chosen === undefined)
    throw new SealKeyError(
      `${home.sealKeys} has no key ${id}, only ${entries.map(idOfEntry).join(', ')}`,
      'copy the file from the host on which the key was made, with mode 0600',
    )
  write(home, [chosen, ...entries.filter((entry) => entry !== chosen)])
}

const write = (home: Home, entries: readonly KeyEntry[]): void =>
  replaceFile(home.sealKeys, fileText(entries))
