/** Who else may reach what Outpool opens on this machine: the embedded engine has no password. */
import { readFile } from 'node:fs/promises'
import { guideUrl } from '../../config/guide.js'
import type { Home } from '../../config/state/home.js'
import { type EngineEndpoint, readEngine } from '../../config/state/liveFile.js'
import { namedEngine } from '../engine/connect.js'
import { type Finding, warn } from './finding.js'

/** Ids of people's users, by the convention of Linux distributions. */
const firstUid = 1_000
const lastUid = 59_999

/** Nothing if no embedded engine runs, or if this machine does not list its users in a file. */
export async function checkOtherUsers(home: Home, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const engine = namedEngine(env) === null ? readEngine(home) : null
  if (engine === null) return []
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '')
  return openEngine(engine, otherUsers(users, process.getuid?.() ?? 0))
}

/** Users other than `own` who can log in. */
export const otherUsers = (passwd: string, own: number): string[] =>
  passwd.split('\n').flatMap((line) => {
    const [name = '', , id = '', , , , shell = ''] = line.split(':')
    const uid = Number(id)
    const isPerson = uid >= firstUid && uid <= lastUid && !/(?:nologin|false)$/.test(shell)
    return id !== '' && isPerson && uid !== own ? [name] : []
  })

export function openEngine({ address, uiUrl }: EngineEndpoint, others: readonly string[]): Finding[] {
  const findings: Finding[] = []
  if (others.length > 0)
    findings.push(
      warn(
        'other users',
        `${others.length} other ${others.length === 1 ? 'user' : 'users'} of this machine can connect to the embedded engine at ${address}, and disturb it`,
        `If you do not trust them, run a Temporal of your own with authentication: ${guideUrl('running-as-a-service.md')}`,
      ),
    )
  if (uiUrl !== null)
    findings.push(
      warn(
        'web ui',
        `the Web UI is served at ${uiUrl}: a page in your browser can end workflows through it`,
        'Run `outpool up` without --ui when you do not look at it.',
      ),
    )
  return findings
}
