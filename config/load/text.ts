/** The text of an `outpool.yaml`. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError } from '../errors.js'
import { errorCode } from '../../policy/errorFacts.js'

export const missingRemedy =
  'name another file with --config or OUTPOOL_CONFIG, or run `outpool init` to write one'

/** Equal for equal texts; reveals nothing of a secret in one. */
export const textDigest = (text: string): string => createHash('sha256').update(text).digest('hex')

/** No list of accounts is this large: such a file is something else. Bytes. */
export const fileMaxBytes = 4_000_000

/** The text of a configuration. Throws ConfigError if it can't be read, or is no text. */
export function readConfigText(file: string): string {
  const bytes = readBytes(file)
  const what =
    bytes.length > fileMaxBytes
      ? `has ${bytes.length} bytes, too many for a configuration`
      : hasByteOrderMark(bytes, 0xff, 0xfe) || hasByteOrderMark(bytes, 0xfe, 0xff) || bytes.includes(0)
        ? 'is not UTF-8, but UTF-16 (which some editors and PowerShell write) or no text at all'
        : null
  if (what === null) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    } catch {
      // Reported below.
    }
  }
  throw new ConfigError([
    {
      ...{ file, line: null, column: null, problem: `the configuration ${what ?? 'is not UTF-8'}` },
      remedy: 'save it as UTF-8 text, or name another file with --config or OUTPOOL_CONFIG',
    },
  ])
}

const hasByteOrderMark = (bytes: Buffer, first: number, second: number): boolean =>
  bytes[0] === first && bytes[1] === second

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    const code = errorCode(error) ?? 'unreadable'
    const why =
      code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `cannot be read (${code})`
    throw new ConfigError([
      {
        ...{ file, line: null, column: null, problem: `the configuration ${why}` },
        remedy: missingRemedy,
      },
    ])
  }
}
