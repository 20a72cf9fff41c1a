/**
 * `outpool trust`: shows what a project's own settings would make an agent do, and whether it brings a configuration of Outpool; remembers
 * that a person trusts both.
 */
import { realpathSync } from 'node:fs'
import { sep } from 'node:path'
import { agentNamed } from '../agents/index.js'
import type { Home } from '../config/state/home.js'
import { accountAgent } from '../host/identity/failureDomains.js'
import { localConfig, seenConfig } from '../config/load/localFile.js'
import { filesToTrust } from '../config/load/namedFiles.js'
import { readConfigText } from '../config/load/text.js'
import { type SeenFile, TrustStore } from '../config/state/trustStore.js'
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
  const settings = await agentNamed(accountAgent).projectSettings(folder)
  const found = [
    ...settings.map(({ file, does, digest }) => ({ file, digest, what: `sets ${does.join(', ')}` })),
    ...configurationIn(folder),
  ]
  const untrusted = store.untrusted(found)
  for (const one of found)
    console.log(`${untrusted.includes(one) ? 'new' : 'trusted'}: ${one.file} ${one.what}`)
  if (settings.length === 0) console.log(`the settings in ${folder} make an agent do nothing by themselves`)
  if (isDryRun) return untrusted.length === 0
  store.trust(found)
  if (untrusted.length > 0) console.log(`trusted from now on, as they are; changes will be refused again`)
  return true
}

/** The configuration in the folder, and what it names there. What it names elsewhere is not of its author. */
function configurationIn(folder: string): (SeenFile & { what: string })[] {
  const file = localConfig(folder)
  if (file === null) return []
  const seen = seenConfig(file)
  if (seen === null) {
    neverTrusted(file)
    return []
  }
  const named = filesToTrust(readConfigText(file), file, process.env)
  for (const one of named) if (one.seen === null) neverTrusted(one.file)
  return [
    { ...seen, what: 'names logins, programs and tasks of a fleet' },
    ...named.flatMap((one) =>
      one.seen === null ? [] : [{ ...one.seen, what: `is a ${one.what} that it names` }],
    ),
  ]
}

const neverTrusted = (file: string): void =>
  console.log(`never trusted: ${file} is a link, no regular file, not yours, or writable by others`)

function realFolder(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    throw new TrustPathError(path)
  }
}
