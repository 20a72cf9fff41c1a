/** Finds the folders of a configuration, or a single one, whose own settings would make an agent do what no person has trusted. */
import { existsSync } from 'node:fs'
import { agentNamed } from '../agents/index.js'
import type { Config } from '../config/config.js'
import type { Home } from '../config/state/home.js'
import { TrustStore } from '../config/state/trustStore.js'
import type { UntrustedFolders } from '../config/state/untrustedFolders.js'
import { accountAgent } from '../host/identity/failureDomains.js'

interface AgentFolder {
  user: string | null
  cwd: string
}

/** The folders in which agents of tasks and wake-ups work. */
export const agentFolders = ({ tasks, services }: Pick<Config, 'tasks' | 'services'>): AgentFolder[] => [
  ...tasks.flatMap((task) => (task.kind === 'agent' ? [{ user: `task ${task.name}`, cwd: task.cwd }] : [])),
  ...services.flatMap(({ name, wakeUp }) =>
    wakeUp === null ? [] : [{ user: `the wake-up of service ${name}`, cwd: wakeUp.cwd }],
  ),
]

/** A folder that does not exist yet has no settings. */
export async function untrustedFolders(
  home: Pick<Home, 'dir'>,
  folders: readonly AgentFolder[],
): Promise<UntrustedFolders> {
  const store = new TrustStore(home)
  const looks = folders
    .filter(({ cwd }) => existsSync(cwd))
    .map(async ({ user, cwd }) => {
      const found = store.untrusted(await agentNamed(accountAgent).projectSettings(cwd))
      return { user, cwd, found: found.map(({ file, does }) => ({ file, does })) }
    })
  return (await Promise.all(looks)).filter(({ found }) => found.length > 0)
}

/** As JSON, for the command that asks. `path`: a folder, or null for those of the configuration. */
export async function printUntrusted(home: Home, path: string | null, config: () => Config): Promise<void> {
  const folders = path === null ? agentFolders(config()) : [{ user: null, cwd: path }]
  process.stdout.write(`${JSON.stringify(await untrustedFolders(home, folders))}\n`)
}
