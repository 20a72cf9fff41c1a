/** The documents name files, sections and configuration keys that are there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folders = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() && !entry.name.startsWith('.') ? [entry.name] : [],
)

const markdownBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).flatMap((name) =>
    name.endsWith('.md') ? [join(folder, name)] : [],
  )

const pages = [
  'README.md',
  'deploy/README.md',
  'lab/standin/README.md',
  'bench/stub/README.md',
  ...markdownBelow('docs'),
  ...markdownBelow('examples'),
]

const text = (page: string): string => readFileSync(join(root, page), 'utf8')
const withoutCode = (page: string): string => text(page).replaceAll(/^```[\s\S]*?^```$/gm, '')

/** Words in backticks that are paths of this repository: they begin with one of its folders. */
const pathsOf = (page: string): string[] =>
  [...withoutCode(page).matchAll(/`([\w.-]+\/[\w./-]*)`/g)].flatMap(([, path = '']) =>
    folders.includes(path.split('/')[0] ?? '') ? [path] : [],
  )

/** docs/layers.md names test files from test/ on, and test/policy/layers.test.ts reads them so. */
const isFile = (page: string, path: string): boolean =>
  existsSync(join(root, path)) || (page === 'docs/layers.md' && existsSync(join(root, 'test', path)))

/** Targets of links within the repository. */
const linksOf = (page: string): string[] =>
  [...withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) =>
    /^[a-z]+:/.test(target) ? [] : [target],
  )

/** The anchors that GitHub makes of a page's headings. */
const anchorsOf = (page: string): string[] =>
  [...withoutCode(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  )

const isThere = (page: string, link: string): boolean => {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? page : join(dirname(page), file)
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || anchorsOf(target).includes(anchor)
}

/** Every key of a schema, however deep it lies. */
const keysOf = (schema: unknown): string[] => {
  if (typeof schema !== 'object' || schema === null) return []
  const properties = 'properties' in schema ? Object.keys(schema.properties as object) : []
  return [...properties, ...Object.values(schema).flatMap(keysOf)]
}

describe('the documents', () => {
  it('docs/configuration.md describes every key of the schema', () => {
    const keys = new Set(keysOf(JSON.parse(text('config/schema/outpool.schema.json'))))
    expect(keys.size).toBeGreaterThan(80)
    const page = text('docs/configuration.md')
    expect([...keys].filter((key) => !new RegExp(`\\b${key}\\b`).test(page))).toEqual([])
  })

  it('docs/architecture.md names many files', () => {
    expect(pathsOf('docs/architecture.md').length).toBeGreaterThan(60)
  })

  it.each(pages)('%s: its paths and links are there', (page) => {
    expect(pathsOf(page).filter((path) => !isFile(page, path))).toEqual([])
    expect(linksOf(page).filter((link) => !isThere(page, link))).toEqual([])
  })
})
