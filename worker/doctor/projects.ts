/** The folders in which agents of tasks and services work: whether their projects bring settings that no person has trusted. */
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { describeUntrusted } from '../../config/state/untrustedFolders.js'
import { agentFolders, untrustedFolders } from '../untrusted.js'
import { type Finding, fail, ok } from './finding.js'

const name = 'projects'

export async function checkProjects(home: Home, config: Config): Promise<Finding[]> {
  const folders = agentFolders(config)
  if (folders.length === 0) return []
  const untrusted = await untrustedFolders(home, folders)
  if (untrusted.length === 0)
    return [ok(name, 'no folder of a task or a wake-up has settings that you have not trusted')]
  return untrusted.map((one) =>
    fail(name, describeUntrusted(one), `Look at them, then run: outpool trust ${one.cwd}`),
  )
}
