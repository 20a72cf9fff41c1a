/** Files and folders that other users and programs have prepared: links, pipes, devices, foreign owners, a full disk. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openRegular, readRegular, readRegularSync } from '../../agents/files.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { HomeError, OddFileError } from '../../config/errors.js'
import { openHome } from '../../config/state/home.js'
import { ownFolder, readOwnFile } from '../../config/state/ownFile.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import { OddFiles } from '../../host/state/oddFiles.js'
import { checkOpenFiles } from '../../worker/doctor/openFiles.js'
import { isRoot, otherUser } from './otherUser.js'

let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'outpool-own-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const at = (name: string): string => join(dir, name)
const make = (name: string, text = 'text'): string => {
  writeFileSync(at(name), text, { mode: 0o600 })
  return at(name)
}
const pipe = (name: string): string => {
  execFileSync('mkfifo', ['-m', '600', at(name)])
  return at(name)
}

describe('law 15: a file of ours is read only if it is one', () => {
  it('a regular file of this user is read, however it grows meanwhile', () => {
    expect(readOwnFile(make('plain'))).toBe('text')
    expect(() => readOwnFile(at('missing'))).toThrow(/ENOENT/)
  })

  it.each<[string, string, () => string]>([
    ['a link', 'a link', () => (symlinkSync(make('target'), at('link')), at('link'))],
    ['a link to nothing', 'a link', () => (symlinkSync(at('nothing'), at('link')), at('link'))],
    ['a pipe without a writer', 'no regular file', () => pipe('pipe')],
    ['a folder', 'no regular file', () => (mkdirSync(at('folder')), at('folder'))],
    ['a device without an end', 'no regular file', () => '/dev/zero'],
    ['a file that is too large', 'too large', () => make('large', 'x'.repeat(1_001))],
    [
      'a file that others may write',
      'writable by others',
      () => (chmodSync(make('open'), 0o622), at('open')),
    ],
  ])('%s is refused at once', (_, oddity, prepare) => {
    const path = prepare()
    try {
      readOwnFile(path, 1_000)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(OddFileError)
      expect(error).toMatchObject({ path, oddity })
    }
  })

  it.runIf(isRoot)("another user's file is refused", () => {
    chownSync(make('foreign'), otherUser, otherUser)
    expect(() => readOwnFile(at('foreign'))).toThrow(/another user's/)
  })
})

describe('law 15: files of agent programs and projects', () => {
  it('a link to a settings file is followed; a pipe and a device are refused at once', async () => {
    symlinkSync(make('settings'), at('link'))
    expect(await readRegular(at('link'))).toBe('text')
    symlinkSync('/dev/zero', at('endless'))
    for (const path of [pipe('pipe'), at('endless'), dir]) {
      await expect(openRegular(path)).rejects.toThrow(/not a regular file/)
      expect(() => readRegularSync(path)).toThrow(/not a regular file|EISDIR/)
    }
  })

  it('a pipe in place of a transcript or of a state file blocks nothing', async () => {
    const place = { kind: 'account' as const, name: 'max-1', configDir: dir, env: {} }
    const fifo = pipe('7da1d9f0-0000-4000-8000-000000000000.jsonl')
    await expect(claudeCode.readTail(fifo, 0)).rejects.toThrow(/not a regular file/)
    expect(await claudeCode.readEnd(fifo)).toBeNull()
    mkdirSync(at('sessions'))
    execFileSync('mkfifo', [join(dir, 'sessions', `${process.pid}.json`)])
    expect(await claudeCode.readLiveStates(place)).toEqual([])
  })
})

describe('law 15: the folder of the state', () => {
  it('is closed to others whatever the umask, and so are the folders in it', () => {
    const umask = process.umask(0)
    try {
      const home = openHome({ OUTPOOL_HOME: at('home') })
      for (const folder of [home.dir, home.reports, home.sessions])
        expect(statSync(folder).mode & 0o777, folder).toBe(0o700)
      chmodSync(home.reports, 0o777)
      openHome({ OUTPOOL_HOME: at('home') })
      expect(statSync(home.reports).mode & 0o777).toBe(0o700)
      writeFileAtomic(join(home.dir, 'file'), 'text')
      expect(statSync(join(home.dir, 'file')).mode & 0o777).toBe(0o600)
      process.umask(0o777)
      writeFileAtomic(join(home.dir, 'file'), 'text')
      expect(statSync(join(home.dir, 'file')).mode & 0o777).toBe(0o600)
      expect(statSync(openHome({ OUTPOOL_HOME: at('second') }).reports).mode & 0o777).toBe(0o700)
    } finally {
      process.umask(umask)
    }
  })

  it('is refused if a link stands where one of its folders belongs', () => {
    openHome({ OUTPOOL_HOME: at('home') })
    rmSync(at('home/reports'), { recursive: true })
    mkdirSync(at('elsewhere'))
    symlinkSync(at('elsewhere'), at('home/reports'))
    expect(() => openHome({ OUTPOOL_HOME: at('home') })).toThrow(/reports is a link/)
  })

  it.runIf(isRoot)(
    'is refused if another user made it, also the folder for the socket of a long path',
    () => {
      mkdirSync(at('home'))
      chownSync(at('home'), otherUser, otherUser)
      expect(() => openHome({ OUTPOOL_HOME: at('home') })).toThrow(HomeError)
      // The attack on the folder under /tmp, on one that is not in use.
      const asOther = { uid: otherUser, gid: otherUser }
      mkdirSync(at('tmp'))
      chmodSync(dir, 0o755)
      chmodSync(at('tmp'), 0o1777)
      expect(spawnSync('mkdir', [at('tmp/outpool-0')], asOther).status).toBe(0)
      expect(() => ownFolder(at('tmp/outpool-0'))).toThrow(/another user's/)
      expect(spawnSync('ln', ['-s', '/etc', at('tmp/link')], asOther).status).toBe(0)
      expect(() => ownFolder(at('tmp/link'))).toThrow(/a link/)
    },
  )
})

describe('a file that is written whole', () => {
  it('law 15: follows no link that was prepared in its place', () => {
    const victim = make('victim')
    for (let next = 1; next < 200; next++) symlinkSync(victim, at(`file.${process.pid}.${next}.tmp`))
    writeFileAtomic(at('file'), 'ours')
    expect(readFileSync(victim, 'utf8')).toBe('text')
    expect(readFileSync(at('file'), 'utf8')).toBe('ours')
    linkSync(victim, at('hard'))
    writeFileAtomic(at('hard'), 'ours')
    expect(readFileSync(victim, 'utf8')).toBe('text')
  })

  it('leaves nothing behind if it cannot get its name', () => {
    mkdirSync(at('folder'))
    expect(() => writeFileAtomic(at('folder'), 'text')).toThrow()
    expect(readdirSync(dir)).toEqual(['folder'])
  })

  it('law 7: on a full disk there is an error, and the old content stays', ({ skip }) => {
    const disk = at('disk')
    mkdirSync(disk)
    const mounted =
      isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status === 0
    if (!mounted) skip('no file system can be mounted here')
    try {
      const file = join(disk, 'file')
      writeFileAtomic(file, 'old')
      // The beginning of this content still fits.
      expect(() => writeFileAtomic(file, 'new '.repeat(100_000))).toThrow(/ENOSPC/)
      expect(readFileSync(file, 'utf8')).toBe('old')
      expect(readdirSync(disk)).toEqual(['file'])
    } finally {
      spawnSync('umount', [disk])
    }
  })
})

describe('law 15: what is odd in a folder of ours', () => {
  beforeEach(() => void vi.spyOn(console, 'error').mockReturnValue(undefined))
  afterEach(() => void vi.restoreAllMocks())

  it('is set aside, a bounded number of it, and named by doctor', () => {
    const home = openHome({ OUTPOOL_HOME: at('home') })
    const odd = new OddFiles(home)
    expect(checkOpenFiles(home, at('cache')).map(({ state }) => state)).toEqual(['ok', 'ok'])
    symlinkSync('/etc/passwd', join(home.reports, 'link'))
    mkdirSync(join(home.reports, 'folder'))
    const found = () => checkOpenFiles(home, at('cache')).map(({ name, found }) => `${name}: ${found}`)
    expect(found().join('\n')).toMatch(/files: .*reports\/link is a link/)
    for (const name of ['link', 'folder']) odd.setAside(join(home.reports, name), 'it is odd')
    expect(readdirSync(home.reports)).toEqual([])
    expect(existsSync('/etc/passwd')).toBe(true)
    expect(found().join('\n')).toMatch(/set aside: 2 of what was found/)
    for (let count = 0; count < 120; count++) {
      writeFileSync(join(home.reports, 'x'), '')
      odd.setAside(join(home.reports, 'x'), 'it is odd')
    }
    expect(readdirSync(home.odd).length).toBe(100)
    odd.setAside(join(home.reports, 'gone'), 'it is odd')
    expect(odd.isStuck(join(home.reports, 'gone'))).toBe(true)
  })

  it.runIf(isRoot)('is a warning of doctor if others may replace the folder, or it is not all ours', () => {
    const home = openHome({ OUTPOOL_HOME: at('open/home') })
    chmodSync(at('open'), 0o777)
    writeFileSync(join(home.sessions, 'file'), '')
    chownSync(join(home.sessions, 'file'), otherUser, otherUser)
    const findings = checkOpenFiles(home, at('cache'))
    expect(findings.map(({ state }) => state)).toEqual(['warn', 'warn'])
    expect(findings[0]?.found).toContain("sessions/file is another user's")
    expect(findings[1]?.found).toContain(at('open'))
  })
})
