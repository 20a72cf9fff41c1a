/** Loads `outpool.yaml`: reads it, checks everything, and reports every issue at once with its place. */
import { dirname } from 'node:path'
import { type Document, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import { checkFile } from '../validate/file.js'
import type { Config } from '../config.js'
import { type UnlocatedIssue, toUnlocatedIssues, positionOf } from './positions.js'
import { fileSchema } from '../schema/file.js'
import { ConfigError, type ConfigIssue } from '../errors.js'
import { homeFolder } from '../state/home.js'
import { TrustStore } from '../state/trustStore.js'
import { type ConfigSource, locateConfig } from './find.js'
import { untrustedFiles } from './namedFiles.js'
import { resolveConfig } from './resolve.js'
import { readConfigText, textDigest } from './text.js'

/**
 * The configuration of this host. Throws ConfigError with every issue of the file: syntax, schema, missing config dirs,
 * law 1 by path, and named files that others may have changed. Reads no secret.
 */
export function loadConfig(source: ConfigSource = {}): Config {
  const { env = process.env } = source
  const { file, byContent } = locateConfig(source)
  const text = readConfigText(file)
  const config = { ...parseConfig(text, file, env), byContent }
  if (!byContent) return config
  const store = new TrustStore({ dir: homeFolder(env) })
  const untrusted = untrustedFiles(text, file, { store, env })
  if (untrusted.length > 0) throw new ConfigError(untrusted)
  return config
}

/** A person corrects some, and looks again. To find the place of one takes a look at all keys around it. */
const mostIssues = 200

/** As loadConfig, for a text that a person has named; `file` is the path of the file that holds it or will hold it. */
export function parseConfig(text: string, file: string, env: NodeJS.ProcessEnv = process.env): Config {
  const lines = new LineCounter()
  // The library would compare each key with all before it.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const issueAt = (position: number, problem: string, remedy: string): ConfigIssue => {
    const { line, col } = lines.linePos(position)
    return { file, line, column: col, problem, remedy }
  }
  const issues: ConfigIssue[] = [...document.errors, ...document.warnings].map(({ pos, message }) =>
    issueAt(pos[0], firstLine(message), 'correct the YAML here; mind indentation and quotes'),
  )
  // The content of a document with syntax errors is a guess, so it is not checked. A duplicate key leaves the rest intact.
  if (document.errors.length > 0) throw new ConfigError(issues.slice(0, mostIssues))
  for (const position of repeatedKeys(document))
    issues.push(issueAt(position, 'Map keys must be unique', 'write each key once'))

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
    ...unlocatedIssues.slice(0, mostIssues).map((issue) => ({
      ...{ file, ...positionOf(document, lines, issue) },
      ...{ problem: issue.problem, remedy: issue.remedy },
    })),
  )
  if (issues.length > 0 || !parsed.success) throw new ConfigError(inOrder(issues).slice(0, mostIssues))
  return { ...resolveConfig(parsed.data, file, base), digest: textDigest(text), byContent: false }
}

/** Where a key is written that its section has already. */
function repeatedKeys(document: Document): number[] {
  const positions: number[] = []
  visit(document, {
    Map: (_key, { items }) => {
      const known = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (known.has(key.value)) positions.push(key.range?.[0] ?? 0)
        known.add(key.value)
      }
    },
  })
  return positions
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? text

const inOrder = (issues: ConfigIssue[]): ConfigIssue[] =>
  issues.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
