/** The examples are loaded by the same code as a user's file. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseConfig } from '../../config/load/load.js'

it('the configuration of the layered-redundancy example is valid, and its files exist', () => {
  const folder = new URL('../../examples/layered-redundancy/', import.meta.url)
  const dir = mkdtempSync(join(tmpdir(), 'outpool-example-'))
  try {
    for (const login of ['max-1', 'medic']) mkdirSync(join(dir, 'logins', login), { recursive: true })
    const config = parseConfig(
      readFileSync(new URL('outpool.yaml', folder), 'utf8'),
      join(dir, 'outpool.yaml'),
    )
    expect(config.services.map(({ name }) => name)).toEqual(['loop', 'bot'])
    const programs = config.services.flatMap(({ run, wakeUp }) => [...(run ?? []), ...(wakeUp?.verify ?? [])])
    for (const file of [...programs.filter((argument) => argument.endsWith('.mjs')), 'wakeup.md'])
      expect(readFileSync(new URL(file, folder), 'utf8')).not.toBe('')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})
