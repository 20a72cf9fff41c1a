/** Calls systemd's own programs, with argument arrays. */
import { execa } from 'execa'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from './unit.js'

export const unitName = 'outpool.service'

export interface SystemdResult {
  ok: boolean
  /** What it printed to stdout and stderr. */
  output: string
}

/** What systemd-analyze reports about the unit; null if it reports nothing or is not installed. */
export async function verifyUnit(text: string, scope: Scope): Promise<string | null> {
  const dir = await mkdtemp(join(tmpdir(), 'outpool-unit-'))
  try {
    const file = join(dir, unitName)
    await writeFile(file, text)
    const args = ['verify', `--${scope}`, '--man=no', file]
    const env = process.env['XDG_RUNTIME_DIR'] === undefined ? { XDG_RUNTIME_DIR: dir } : {}
    const { code, all } = await execa('systemd-analyze', args, { env, all: true, reject: false })
    // It exits with 0 even if it ignored an unknown key.
    return code === 'ENOENT' || all.trim() === '' ? null : all.trim()
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

export async function systemctl(scope: Scope, ...args: string[]): Promise<SystemdResult> {
  const { failed, all, shortMessage } = await execa('systemctl', [`--${scope}`, ...args], {
    all: true,
    reject: false,
  })
  return { ok: !failed, output: all === '' ? (shortMessage ?? '') : all.trim() }
}
