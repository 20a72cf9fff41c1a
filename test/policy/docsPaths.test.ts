/** The documents name only files, sections and configuration keys that exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folders = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() && !/^\.|^dist$|^node_modules$/.test(entry.name) ? [entry.name] : [],
)

/** Files of the repository, as paths from its root. */
const files = [
  ...readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : [])),
  ...folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ),
]
const pages = files.filter((file) => file.endsWith('.md'))
const sources = files.filter((file) => /\.(ts|mjs|sh|service|yml)$/.test(file))

const text = (page: string): string => readFileSync(join(root, page), 'utf8')
const withoutCode = (page: string): string => text(page).replaceAll(/^```[\s\S]*?^```$/gm, '')

/** Words in backticks that are paths of this repository: they begin with one of its folders. */
const pathsOf = (page: string): string[] =>
  [...withoutCode(page).matchAll(/`([\w.-]+\/[\w./-]*)`/g)].flatMap(([, path = '']) =>
    folders.includes(path.split('/')[0] ?? '') ? [path] : [],
  )

/** docs/layers.md names test files relative to test/, and test/policy/layers.test.ts reads them that way. */
const isFile = (page: string, path: string): boolean =>
  existsSync(join(root, path)) || (page === 'docs/layers.md' && existsSync(join(root, 'test', path)))

/** Targets of links within the repository. */
const linksOf = (page: string): string[] =>
  [...withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) =>
    /^[a-z]+:/.test(target) ? [] : [target],
  )

/** The anchors that GitHub generates for a page's headings. */
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

/** Every key of a schema, at any depth. */
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

  it('comments and messages name only pages that exist', () => {
    const named = sources.flatMap((file) =>
      [...text(file).matchAll(/\bdocs\/[\w/-]+\.md/g)].map(([page]) => ({ file, page })),
    )
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter(({ page }) => !existsSync(join(root, page)))).toEqual([])
  })

  it.each(pages)('%s: its paths and links exist', (page) => {
    expect(pathsOf(page).filter((path) => !isFile(page, path))).toEqual([])
    expect(linksOf(page).filter((link) => !isThere(page, link))).toEqual([])
  })
})
