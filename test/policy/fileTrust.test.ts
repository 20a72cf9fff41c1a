import { expect, it } from 'vitest'
import { isWritableByOthers } from '../../policy/fileTrust.js'

const uids = { own: 1000, system: 0 }

it.each<[string, { mode: number; gid: number }, boolean]>([
  ['its user alone', { mode: 0o644, gid: 1000 }, false],
  ['the group that is its user’s alone', { mode: 0o664, gid: 1000 }, false],
  ['a group of several users', { mode: 0o664, gid: 20 }, true],
  ['everyone', { mode: 0o646, gid: 1000 }, true],
])('law 15: a file that may be written by %s', (_, facts, isOpen) => {
  expect(isWritableByOthers(facts, uids)).toBe(isOpen)
})

it('law 15: a system without user ids tells nothing by its modes', () => {
  expect(isWritableByOthers({ mode: 0o666, gid: 0 }, { own: null, system: 0 })).toBe(false)
})
