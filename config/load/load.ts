/** Loads `outpool.yaml`: reads it, checks everything, and reports every issue at once with its place. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { checkFile } from '../validate/file.js'
import type { Config } from '../config.js'
import { type UnlocatedIssue, toUnlocatedIssues, positionOf } from './positions.js'
import { fileSchema } from '../schema/file.js'
import { ConfigError, type ConfigIssue } from '../errors.js'
import { type ConfigSource, findConfig, missingRemedy } from './find.js'
import { resolveConfig } from './resolve.js'

/**
 * The configuration of this host. Throws ConfigError with every issue of the file: syntax, schema, missing config dirs,
 * and law 1 by path. Reads no secret.
 */
export function loadConfig(source: ConfigSource = {}): Config {
  const file = findConfig(source)
  return parseConfig(readConfigText(file), file, source.env)
}

/** Equal for equal texts; reveals nothing of a secret in one. */
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** As loadConfig, for a text; `file` is the path of the file that holds it or will hold it. */
export function parseConfig(text: string, file: string, env: NodeJS.ProcessEnv = process.env): Config {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const issues: ConfigIssue[] = [...document.errors, ...document.warnings].map((error) => {
    const { line, col } = lines.linePos(error.pos[0])
    return {
      ...{ file, line, column: col, problem: firstLine(error.message) },
      remedy:
        error.code === 'DUPLICATE_KEY'
          ? 'write each key once'
          : 'correct the YAML here; mind indentation and quotes',
    }
  })
  // The content of a document with syntax errors is a guess, so it is not checked. A duplicate key leaves the rest intact.
  if (document.errors.some((error) => error.code !== 'DUPLICATE_KEY')) throw new ConfigError(issues)

  let value: unknown
  try {
    value = document.toJS() ?? {}
  } catch (error) {
    const problem = error instanceof Error ? firstLine(error.message) : 'the YAML cannot be read'
    throw new ConfigError([
      ...issues,
      { file, line: 1, column: 1, problem, remedy: 'write it without aliases' },
    ])
  }
  const base = { folder: dirname(file), env }
  const parsed = fileSchema.safeParse(value)
  const unlocatedIssues: UnlocatedIssue[] = [
    ...(parsed.success ? [] : toUnlocatedIssues(parsed.error.issues, value)),
    ...checkFile(value, base),
  ]
  issues.push(
    ...unlocatedIssues.map((issue) => ({
      ...{ file, ...positionOf(document, lines, issue) },
      ...{ problem: issue.problem, remedy: issue.remedy },
    })),
  )
  if (issues.length > 0 || !parsed.success) throw new ConfigError(inOrder(issues))
  return { ...resolveConfig(parsed.data, file, base), digest: digestOf(text) }
}

/** No list of accounts is this large: such a file is something else. Bytes. */
const fileMaxBytes = 4_000_000

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
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
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

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? text

const inOrder = (issues: ConfigIssue[]): ConfigIssue[] =>
  issues.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
