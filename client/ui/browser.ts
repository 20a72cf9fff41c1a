/** Opens a page in the person's browser, if there is one. */
import { spawn } from 'node:child_process'

/** The program of the system that opens a page, or null if no person is there to see it: no terminal, or no display. */
export function browserOpener({
  platform,
  env,
  isTerminal,
}: {
  platform: NodeJS.Platform
  env: NodeJS.ProcessEnv
  isTerminal: boolean
}): string | null {
  if (!isTerminal) return null
  if (platform === 'darwin') return 'open'
  const hasDisplay = [env['DISPLAY'], env['WAYLAND_DISPLAY']].some((one) => one !== undefined && one !== '')
  return hasDisplay ? 'xdg-open' : null
}

/** Resolves to whether the program could be started. It is not waited for: some browsers stay its child until they end. */
export function openPage(opener: string, url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(opener, [url], { detached: true, stdio: 'ignore' })
    child.once('error', () => resolve(false))
    child.once('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
}
