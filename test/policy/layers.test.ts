/** Each row of the table in docs/layers.md names only tests and configuration keys that exist. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const read = (path: string): string => readFileSync(at(path), 'utf8')

const page = read('docs/layers.md')
const [, , ...rows] = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
/** The first cell of each row, and its last: `file`: words of a test's title; `file`: words. */
const lines = rows.map((cells): [failure: string, tests: string] => [cells[1]!, cells.at(-2)!])

/** The titles of the tests and groups in a file, without their quotes. */
const names = (file: string): string[] =>
  [
    ...read(`test/${file}`).matchAll(
      /\b(?:it|test|describe|byNight|describeByNight)(?:\.\w+)*\(\s*(['"`])((?:\\.|(?!\1).)*)\1/g,
    ),
  ].map(([, , name]) => (name ?? '').replaceAll(/\\(.)/g, '$1'))

describe('docs/layers.md', () => {
  it('has one row for each failure', () => {
    expect(lines.length).toBeGreaterThan(25)
    expect(new Set(lines.map(([failure]) => failure)).size).toBe(lines.length)
  })

  it.each(lines)('%s: its tests exist', (_failure, tests) => {
    for (const reference of tests.split('; ')) {
      const [, file = '', words = ''] = /^`([\w/]+\.test\.ts)`: (.+)$/.exec(reference) ?? []
      expect(existsSync(at(`test/${file}`)) && file, `${reference} names no file of test/`).not.toBe('')
      expect(
        names(file).filter((name) => name.includes(words)),
        `${file} has no test "${words}"`,
      ).not.toEqual([])
    }
  })

  it('names only keys of the configuration', () => {
    const schema = read('config/schema/outpool.schema.json')
    const tests = lines.map(([, cell]) => cell)
    const prose = tests.reduce((text, cell) => text.replace(cell, ''), page)
    const keys = [...prose.matchAll(/`([a-z]\w*(?:\.\w+)*)`/gi)].map(([, key = '']) => key)
    expect(keys.length).toBeGreaterThan(10)
    const unknown = keys.filter((key) => key.split('.').some((part) => !schema.includes(`"${part}": {`)))
    expect(unknown).toEqual([])
  })
})
