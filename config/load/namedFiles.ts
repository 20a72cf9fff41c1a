/**
 * The files that a configuration names and that decide which code runs or what an agent is asked to do: programs, scripts, prompts and
 * secrets. A user who can write one of them has as much power as one who can write the configuration.
 */
import { realpathSync, statSync } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'
import { parse } from 'yaml'
import type { ConfigIssue } from '../errors.js'
import { seenFile, type SeenFile, type TrustStore } from '../state/trustStore.js'
import { writerProblem } from '../state/writers.js'
import { isMapping } from './isMapping.js'
import { expandPath, expandProgram, type PathBase } from './paths.js'
import type { Path, UnlocatedIssue } from './positions.js'

interface NamedFile {
  /** Where it is named. */
  path: Path
  /** Absolute; it may not exist. */
  file: string
  what: 'program' | 'prompt' | 'secret' | 'list of certificates'
}

/** Of a file as it was written, valid or not. A program that is looked up on PATH is not among them. */
const namedFiles = (document: unknown, base: PathBase): NamedFile[] =>
  filesIn(document, { path: [], cwd: base.folder, base })

interface At {
  path: Path
  /** Where the programs of this section run. */
  cwd: string
  base: PathBase
}

function filesIn(value: unknown, { path, cwd, base }: At): NamedFile[] {
  if (Array.isArray(value))
    return value.flatMap((item, index) => filesIn(item, { path: [...path, index], cwd, base }))
  if (!isMapping(value)) return []
  const here = typeof value['cwd'] === 'string' ? expandPath(value['cwd'], base) : cwd
  return Object.entries(value).flatMap(([key, entry]) =>
    filesOf(key, entry, { path: [...path, key], cwd: here, base }),
  )
}

function filesOf(key: string, entry: unknown, at: At): NamedFile[] {
  const { path, base } = at
  const one = (what: NamedFile['what'], file: string): NamedFile[] => [{ path, file, what }]
  if (typeof entry === 'string') {
    if (key === 'fromFile') return one('secret', expandPath(entry, base))
    if (key === 'ca') return one('list of certificates', expandPath(entry, base))
    const isAgent = key === 'command' && path[0] === 'agents' && path.length === 3
    const program = isAgent ? expandProgram(entry, base) : ''
    return program.includes('/') ? one('program', resolve(base.folder, program)) : []
  }
  if (key === 'prompt' && isMapping(entry) && typeof entry['file'] === 'string')
    return one('prompt', expandPath(entry['file'], base))
  const isCommand = key === 'run' || key === 'verify' || key === 'command' || key === 'fromCommand'
  if (isCommand && Array.isArray(entry)) {
    const [program = '', ...args] = entry.map((word) => (typeof word === 'string' ? word : ''))
    const expanded =
      program.startsWith('~/') || key === 'fromCommand' ? expandProgram(program, base) : program
    return programFiles([expanded, ...args], at.cwd, base.folder).flatMap((file) => one('program', file))
  }
  return filesIn(entry, at)
}

/**
 * What is run if this command is: its program, unless that is looked up on PATH, and the first argument that is a file where it runs or
 * beside the configuration, such as the script of an interpreter.
 */
export function programFiles(
  [program = '', ...args]: readonly string[],
  cwd: string,
  folder: string,
): string[] {
  const script = args
    .filter((word) => word !== '' && !word.startsWith('-'))
    .map((word) => resolve(cwd, word))
    .find((file) => (isInside(file, cwd) || isInside(file, folder)) && isFile(file))
  return [
    ...(program.includes('/') ? [resolve(cwd, program)] : []),
    ...(script === undefined ? [] : [script]),
  ]
}

const isInside = (file: string, folder: string): boolean =>
  file.startsWith(folder.endsWith(sep) ? folder : folder + sep)

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** Those that another user of the machine may write, or has made. */
export const openFiles = (document: unknown, base: PathBase): UnlocatedIssue[] =>
  namedFiles(document, base).flatMap(({ path, file, what }) => {
    const found = writerProblem(file)
    if (found === null) return []
    const { problem, remedy } = found
    return [{ path, at: 'value', problem: `the ${what} ${problem}`, remedy }]
  })

/**
 * Those in the configuration's own folder, which came with it: a person trusts them together with it. Of a text that is not valid there
 * are none: it is refused when it is loaded.
 */
export function filesToTrust(text: string, file: string, env: NodeJS.ProcessEnv): SeenNamedFile[] {
  const folder = dirname(file)
  const named = namedFiles(parsed(text), { folder, env }).filter(
    (one) => one.what !== 'secret' && isInside(one.file, folder) && isFile(one.file),
  )
  const byFile = new Map(named.map((one) => [one.file, one]))
  return [...byFile.values()].map((one) => ({ ...one, seen: seenHere(one.file) }))
}

function parsed(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return null
  }
}

interface SeenNamedFile extends NamedFile {
  /** Null if it is never trusted: a link, or behind one, or another user may write it. */
  seen: SeenFile | null
}

/** A link leads to another content as soon as it is changed, and nothing in its place shows that. */
function seenHere(file: string): SeenFile | null {
  const isBehindLink = realpathSync(file) !== file
  return isBehindLink || writerProblem(file) !== null ? null : seenFile(file)
}

/** What is wrong with the named files of a configuration that is used only with the content that a person trusts. */
export function untrustedFiles(
  text: string,
  file: string,
  { store, env }: { store: TrustStore; env: NodeJS.ProcessEnv },
): ConfigIssue[] {
  const files = filesToTrust(text, file, env)
  const untrusted = new Set(store.untrusted(files.flatMap(({ seen }) => seen ?? [])).map((one) => one.file))
  return files
    .filter((one) => one.seen === null || untrusted.has(one.file))
    .map((one) => ({ ...{ file, line: null, column: null }, ...untrustedProblem(one, dirname(file)) }))
}

function untrustedProblem({ file, what, seen }: SeenNamedFile, folder: string) {
  return seen === null
    ? {
        problem: `the ${what} ${file} came with this configuration, and is a link or can be changed by others`,
        remedy: 'put a file of yours in its place, which only you can write',
      }
    : {
        problem: `the ${what} ${file} came with this configuration, and you do not trust it as it is now`,
        remedy: `read it, then run: outpool trust ${folder}`,
      }
}

/** Why a file that the configuration names must not be used as it is now; null if it may. `trusted`: null if it is named by a person. */
export function useProblem(file: string, configFile: string, trusted: TrustStore | null): string | null {
  const found = writerProblem(file)
  if (found !== null) return `${found.problem}: ${found.remedy}`
  const folder = dirname(configFile)
  if (trusted === null || !isInside(file, folder) || !isFile(file)) return null
  const seen = seenHere(file)
  if (seen !== null && trusted.untrusted([seen]).length === 0) return null
  return `${file} came with the configuration, and you do not trust it as it is now: outpool trust ${folder}`
}
