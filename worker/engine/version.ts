/** Checks whether a `temporal` is new enough. */
import { execa } from 'execa'
import { StepFailed } from './install.js'

/** The versions that Outpool is tested with. Older servers lack features that it uses, and have other error messages. */
const least = { cli: [1, 9], server: [1, 32] } as const

/** Runs `<path> --version` and returns the version in one line. Throws StepFailed if the program is unusable. */
export async function versionOf(path: string): Promise<string> {
  const result = await execa(path, ['--version'], { reject: false, timeout: 15_000, stdin: 'ignore' })
  if (result.failed) {
    if (result.code === 'ENOENT') throw new StepFailed(`${path} is not there`)
    const reason = result.timedOut ? 'no end after 15 s' : result.stderr || result.shortMessage
    throw new StepFailed(`${path} --version failed: ${reason}`)
  }
  const found = /temporal version v?(\d+)\.(\d+)\S* \(Server v?(\d+)\.(\d+)/.exec(result.stdout)
  const line = result.stdout.trim().split('\n')[0] ?? ''
  if (found === null)
    throw new StepFailed(`${path} is not Temporal's command: it calls itself "${line.slice(0, 80)}"`)
  const [cliMajor = 0, cliMinor = 0, serverMajor = 0, serverMinor = 0] = found.slice(1).map(Number)
  if (!reaches([cliMajor, cliMinor], least.cli) || !reaches([serverMajor, serverMinor], least.server))
    throw new StepFailed(
      `${path} is too old: ${line}; needed is ${least.cli.join('.')} or newer, with server ${least.server.join('.')} or newer`,
    )
  return line
}

const reaches = (found: readonly [number, number], wanted: readonly [number, number]): boolean =>
  found[0] > wanted[0] || (found[0] === wanted[0] && found[1] >= wanted[1])
