/** A program that the system will not start, in each of the ways in which that happens. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { programFingerprint, reasonNotRunnable } from '../../host/process/agentProgram.js'

const dir = mkdtempSync(join(tmpdir(), 'program-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function program(name: string, content: string | Buffer, mode = 0o755): string {
  const file = join(dir, name)
  writeFileSync(file, content)
  chmodSync(file, mode)
  return file
}

/** This very Node.js, marked as built for a machine type that does not exist. */
function foreign(): Buffer {
  const head = Buffer.from(readFileSync(process.execPath).subarray(0, 4096))
  head.writeUInt16LE(0x1234, 18)
  return head
}

it('law 10: a program that ignores TERM is not awaited for ever', async () => {
  const stubborn = program('stubborn', "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.1; done\n")
  expect(await reasonNotRunnable(stubborn, process.env, dir, 300)).toBeNull()
})

describe('law 6: a program that cannot be run is distinguished from one that ends', () => {
  const why = (command: string): Promise<string | null> => reasonNotRunnable(command, process.env, dir)

  it.each([
    ['does not exist', () => join(dir, 'nothing'), 'there is no such program'],
    ['is not on the PATH', () => 'no-such-program-here', 'there is no such program'],
    ['may not be run', () => program('plain', '#!/bin/sh\n', 0o644), 'it is not allowed to be run'],
    ['is a folder', () => dir, 'it is not allowed to be run'],
    ['needs a missing file', () => program('lost', '#!/no/such/shell\n'), 'there is no such program'],
    [
      'reports itself that something was not found',
      () => program('half', '#!/bin/sh\nexec /no/such/part\n'),
      'it, or something that it needs, was not found',
    ],
  ])('one that %s', async (_, command, said) => {
    expect(await why(command())).toBe(said)
  })

  it.skipIf(process.platform !== 'linux')('one that is for another machine', async () => {
    expect(await why(program('foreign', foreign()))).toBe('it is not a program for this machine')
  })

  it('one that runs, however it ends', async () => {
    expect(await why(program('fine', '#!/bin/sh\necho 1.2.3\n'))).toBeNull()
    expect(await why(program('fails', '#!/bin/sh\nexit 1\n'))).toBeNull()
    expect(await why(program('killed', '#!/bin/sh\nkill -KILL $$\n'))).toBeNull()
  })
})

it('its fingerprint changes when the program appears, changes, or may be run again, and not otherwise', async () => {
  const mark = (): Promise<string> => programFingerprint('later', `/no/such/folder:${dir}`, '/')
  const marks = [await mark(), await mark()]
  const file = program('later', '#!/bin/sh\n', 0o644)
  marks.push(await mark())
  chmodSync(file, 0o755)
  marks.push(await mark(), await mark())
  writeFileSync(file, '#!/bin/sh\nexit 0\n')
  marks.push(await mark())
  expect(new Set(marks).size).toBe(4)
  expect(marks[0]).toBe(marks[1])
  expect(marks[3]).toBe(marks[4])
})
