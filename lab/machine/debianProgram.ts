/** Programs that tests need, and that no package of npm holds. */
import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { execa } from 'execa'

/**
 * Whether the program at this path is installed. On a bare machine, root installs its package from Debian's archive; its system service
 * is not started.
 */
export async function hasDebianProgram(path: string, debianPackage: string): Promise<boolean> {
  if (existsSync(path)) return true
  if (userInfo().uid !== 0) return false
  // A run level of 1 keeps a package from starting its service.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  // Another test file may be installing something.
  const waitForLock = ['-o', 'DPkg::Lock::Timeout=300']
  const apt = (...args: string[]) => execa('apt-get', [...waitForLock, ...args], { env, reject: false })
  const install = () => apt('install', '-y', '--no-install-recommends', debianPackage)
  if ((await install()).failed) {
    await apt('update')
    await install()
  }
  return existsSync(path)
}
