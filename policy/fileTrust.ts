/** Which files and folders Outpool acts on: of its own user, changed by no other, and of the expected kind and size. */

export type Oddity =
  | 'a link'
  | 'no regular file'
  | 'no folder'
  | "another user's"
  | 'writable by others'
  | 'too large'

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

/** The accepted owners of a file that a person names: that person, root, and the owner of the system. `own` is null on a system without user ids. */
interface AcceptedOwners {
  own: number | null
  system: number
}

export const isForeign = (owner: number, { own, system }: AcceptedOwners): boolean =>
  own !== null && owner !== own && owner !== system && owner !== 0

const writableByAll = 0o002
const writableByGroup = 0o020

/**
 * A group with the number of the user is the user's alone, by the convention of systems that give each user a group; there, files are
 * made for the group to write.
 */
export const isWritableByOthers = (
  { mode, gid }: { mode: number; gid: number },
  { own }: AcceptedOwners,
): boolean =>
  own !== null && ((mode & writableByAll) !== 0 || ((mode & writableByGroup) !== 0 && gid !== own))

const sticky = 0o1000

/**
 * Whether every user can rename what is in the folder. The group's permission is left to the person: many systems give each user a group
 * of their own, and folders that it may write.
 */
export const isOpenFolder = (mode: number, { own }: AcceptedOwners): boolean =>
  own !== null && (mode & writableByAll) !== 0 && (mode & sticky) === 0
