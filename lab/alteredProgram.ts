/** The agent program behind a wrapper that changes what it gets: what a version that behaves differently would look like. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Alteration {
  /** Expressions that change `settings`, the content of the launch's settings file. */
  settings?: string
  /** Shell commands before the program is started; `$@` are its arguments. */
  before?: string
  /** The shell stays, as the process that Outpool knows, and the program is a child of it. */
  isChild?: boolean
}

/** The rest of a shell script that drops an argument, and the value after it. */
export const withoutArgument = (name: string, hasValue: boolean): string =>
  [
    'n=$#; skip=0',
    'while [ $n -gt 0 ]; do n=$((n-1)); one=$1; shift',
    'if [ $skip = 1 ]; then skip=0; continue; fi',
    `if [ "$one" = ${name} ]; then skip=${hasValue ? 1 : 0}; continue; fi`,
    'set -- "$@" "$one"; done',
  ].join('\n')

/** Writes the wrapper of `program` into `folder` and returns its path. */
export function alterProgram(
  folder: string,
  program: string,
  { settings, before, isChild }: Alteration,
): string {
  const edit = join(folder, 'alter.mjs')
  writeFileSync(
    edit,
    `import { existsSync, readFileSync, writeFileSync } from 'node:fs'
const file = process.argv[process.argv.indexOf('--settings') + 1] ?? ''
if (existsSync(file)) {
  const settings = JSON.parse(readFileSync(file, 'utf8'))
  ${settings ?? ''}
  writeFileSync(file, JSON.stringify(settings))
}
`,
  )
  const wrapper = join(folder, 'claude')
  const runEdit = settings === undefined ? '' : `'${process.execPath}' '${edit}' "$@"`
  const script = ['#!/bin/sh', runEdit, before ?? '', `${isChild ? '' : 'exec '}'${program}' "$@"`, '']
  writeFileSync(wrapper, script.join('\n'), { mode: 0o755 })
  return wrapper
}
