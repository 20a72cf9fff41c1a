import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { SecretError } from '../../config/errors.js'
import { resolveEnv } from '../../config/secrets/resolve.js'

const folder = mkdtempSync(join(tmpdir(), 'outpool-secrets-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text, { mode: 0o600 })
  return join(folder, name)
}
const node = (code: string): string[] => [process.execPath, '-e', code]

const failure = async (value: Parameters<typeof resolveEnv>[0][string]): Promise<SecretError> => {
  try {
    await resolveEnv({ KEY: value })
  } catch (error) {
    if (error instanceof SecretError) return error
    throw error
  }
  throw new Error('it was resolved')
}

afterEach(() => void vi.unstubAllEnvs())

describe('secrets', () => {
  it('come from literals, variables, files and commands, without the trailing newline', async () => {
    vi.stubEnv('OUTPOOL_TEST_SECRET', 'from-env')
    const resolved = await resolveEnv({
      A: 'as it is\n',
      B: { fromEnv: 'OUTPOOL_TEST_SECRET' },
      C: { fromFile: file('good', 'from-file\n') },
      D: { fromCommand: node('console.log("from-command")') },
    })
    expect(resolved).toEqual({ A: 'as it is\n', B: 'from-env', C: 'from-file', D: 'from-command' })
  })

  it('law 11: an error names the reference and never the value that was read', async () => {
    const missing = await failure({ fromEnv: 'OUTPOOL_TEST_MISSING' })
    expect(missing.message).toBe(
      'KEY comes from the environment variable OUTPOOL_TEST_MISSING, which is not set',
    )
    expect((await failure({ fromFile: join(folder, 'gone') })).message).toContain(join(folder, 'gone'))
    expect((await failure({ fromFile: file('empty', '\n') })).message).toContain('which is empty')
    expect((await failure({ fromFile: folder })).message).toContain('no regular file')
    const large = file('large', 'x'.repeat(70_000))
    expect((await failure({ fromFile: large })).message).toContain('too large')
    expect((await failure({ fromCommand: ['/no/such/program'] })).message).toContain('code ENOENT')

    const code = 'const s = ["le", "ak"].join(""); console.log(s); console.error(s); process.exit(3)'
    const failed = await failure({ fromCommand: node(code) })
    expect(failed.message).toContain('failed (code 3)')
    expect(
      `${failed.message} ${failed.stack ?? ''} ${JSON.stringify(failed)} ${String(failed.cause)}`,
    ).not.toContain('leak')
  })

  it('a command that prompts gets the end of its input instead of hanging', async () => {
    expect((await failure({ fromCommand: node('process.stdin.resume()') })).message).toContain(
      'which printed nothing',
    )
  })
})
