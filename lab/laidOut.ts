import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))

/** A text as `npm run format` lays out the file `path`, whose ending tells the language. */
export const laidOut = (path: string, text: string): string =>
  execFileSync(`${root}node_modules/.bin/oxfmt`, ['--stdin-filepath', path], {
    cwd: root,
    input: text,
    encoding: 'utf8',
  })
