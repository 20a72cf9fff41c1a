/** `outpool trust`: shows what a project's own settings would make an agent do, and remembers that a person trusts it. */
import { realpathSync } from 'node:fs'
import { sep } from 'node:path'
import { agentNamed } from '../agents/index.js'
import type { ProjectSettings } from '../agents/agent.js'
import type { Home } from '../config/state/home.js'
import { accountAgent } from '../host/identity/failureDomains.js'
import { TrustStore } from '../host/state/trustStore.js'
import { TrustPathError } from './errors.js'

export interface TrustRequest {
  home: Home
  path: string
  isRevoked: boolean
  /** Only shows what is there. */
  isDryRun: boolean
}

/** False if something is untrusted and stays so. Throws TrustPathError. */
export async function trust({ home, path, isRevoked, isDryRun }: TrustRequest): Promise<boolean> {
  const folder = realFolder(path)
  const store = new TrustStore(home)
  if (isRevoked) {
    const count = store.revoke((file) => file.startsWith(folder === sep ? folder : folder + sep))
    console.log(`${count} ${count === 1 ? 'file' : 'files'} in ${folder} no longer trusted`)
    return true
  }
  const found = await agentNamed(accountAgent).projectSettings(folder)
  const untrusted = store.untrusted(found)
  for (const one of found) console.log(`${untrusted.includes(one) ? 'new' : 'trusted'}: ${describe(one)}`)
  if (found.length === 0) console.log(`the settings in ${folder} make an agent do nothing by themselves`)
  if (isDryRun) return untrusted.length === 0
  store.trust(found)
  if (untrusted.length > 0) console.log(`trusted from now on, as they are; changes will be refused again`)
  return true
}

const describe = ({ file, does }: ProjectSettings): string => `${file} sets ${does.join(', ')}`

function realFolder(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    throw new TrustPathError(path)
  }
}
