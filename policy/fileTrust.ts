/** Which files and folders Outpool acts on: of its own user, changed by no other, and of the expected kind and size. */

export type Oddity =
  'a link' | 'no regular file' | 'no folder' | "another user's" | 'writable by others' | 'too large'

export interface FileFacts {
  kind: 'file' | 'folder' | 'link' | 'other'
  uid: number
  /** Permission bits. */
  mode: number
  /** Bytes. */
  size: number
}

const writableByOthers = 0o022

/** What is wrong with a file that only this user writes; null if nothing is. `maxBytes` bounds what is read of it. */
export function oddityOfFile(facts: FileFacts, uid: number | null, maxBytes: number): Oddity | null {
  if (facts.kind === 'link') return 'a link'
  if (facts.kind !== 'file') return 'no regular file'
  return ownershipOddity(facts, uid) ?? (facts.size > maxBytes ? 'too large' : null)
}

/** The same for a folder in which Outpool keeps something. */
export function oddityOfFolder(facts: FileFacts, uid: number | null): Oddity | null {
  if (facts.kind === 'link') return 'a link'
  return facts.kind === 'folder' ? ownershipOddity(facts, uid) : 'no folder'
}

/** `uid` is null on a system without user ids. */
function ownershipOddity({ uid: owner, mode }: FileFacts, uid: number | null): Oddity | null {
  if (uid === null) return null
  if (owner !== uid) return "another user's"
  return (mode & writableByOthers) === 0 ? null : 'writable by others'
}
