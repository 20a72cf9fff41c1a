/** Finds the place of each issue in the file: path in the document -> line and column. */
import { type Document, type LineCounter, isMap, isNode, isPair, isScalar } from 'yaml'
import type { z } from 'zod'
import { editorSchema } from '../schema/file.js'
import { newNameOf } from '../schema/renamedKeys.js'
import { nearest } from '../validate/nearest.js'

export type Path = readonly (string | number)[]

/** An issue before its place in the file is known. `at: 'key'` points to the key itself instead of its value. */
export interface UnlocatedIssue {
  path: Path
  at: 'key' | 'value'
  problem: string
  remedy: string
}

/** `['pool', 'accounts', 1, 'name']` -> `pool.accounts[1].name` */
function formatPath(path: Path): string {
  const shown = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')
  return shown.replace(/^\./, '') || 'the file'
}

export function toUnlocatedIssues(issues: readonly z.core.$ZodIssue[], value: unknown): UnlocatedIssue[] {
  return issues.flatMap((issue): UnlocatedIssue[] => {
    const path = issue.path.filter((part) => typeof part !== 'symbol')
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKeyIssue(path, key))
    const remedy = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
    const at = issue.code === 'invalid_key' ? 'key' : 'value'
    return [{ path, at, problem: describeProblem(path, at, valueAt(value, path)), remedy }]
  })
}

/** A value under these keys may be a secret that should have been a reference, so no message quotes it. */
const secretKeys = new Set(['env', 'password', 'slack', 'ntfy', 'token'])

function describeProblem(path: Path, at: 'key' | 'value', value: unknown): string {
  if (at === 'key') return `${formatPath(path.slice(0, -1))} has the key ${JSON.stringify(path.at(-1))}`
  if (value === undefined || value === null) return `${formatPath(path)} is missing`
  if (path.some((part) => typeof part === 'string' && secretKeys.has(part)))
    return `${formatPath(path)} cannot be used as it is written`
  if (Array.isArray(value)) return `${formatPath(path)} is ${value.length === 0 ? 'an empty list' : 'a list'}`
  return `${formatPath(path)} is ${typeof value === 'object' ? 'a section of keys' : JSON.stringify(value)}`
}

function unknownKeyIssue(path: Path, key: string): UnlocatedIssue {
  const newName = newNameOf(path, key)
  if (newName !== null)
    return {
      path: [...path, key],
      at: 'key',
      problem: `${formatPath([...path, key])} is now called ${newName}`,
      remedy: `write ${newName} instead of ${key}`,
    }
  const known = knownKeys(path)
  const meant = nearest(key, known)
  return {
    path: [...path, key],
    at: 'key',
    problem: `${formatPath([...path, key])} is not a known key`,
    remedy: meant === null ? `known keys: ${known.join(', ')}` : `did you mean ${meant}?`,
  }
}

/** The keys that the schema has at a path. */
function knownKeys(path: Path): string[] {
  let schema: unknown = editorSchema()
  for (const part of path) {
    schema =
      typeof part === 'number'
        ? member(schema, 'items')
        : (member(member(schema, 'properties'), part) ?? member(schema, 'additionalProperties'))
    const choices = member(schema, 'anyOf')
    if (Array.isArray(choices)) schema = choices.find((choice) => member(choice, 'properties') !== undefined)
  }
  const properties = member(schema, 'properties')
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
}

function member(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return new Map<string, unknown>(Object.entries(value)).get(String(key))
}

const valueAt = (value: unknown, path: Path): unknown => path.reduce<unknown>(member, value)

/** Line and column, from 1, of the node at this path, or of its nearest parent in the file. */
export function positionOf(
  document: Document,
  lines: LineCounter,
  issue: Pick<UnlocatedIssue, 'path' | 'at'>,
) {
  for (let length = issue.path.length; length >= 0; length--) {
    const path = issue.path.slice(0, length)
    const node =
      length === issue.path.length && issue.at === 'key'
        ? keyNode(document, path)
        : document.getIn(path, true)
    if (isNode(node) && node.range) {
      const { line, col } = lines.linePos(node.range[0])
      return { line, column: col }
    }
  }
  return { line: 1, column: 1 }
}

function keyNode(document: Document, path: Path): unknown {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  if (!isMap(parent)) return undefined
  const pair = parent.items.find(
    (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === path.at(-1),
  )
  return pair?.key
}
