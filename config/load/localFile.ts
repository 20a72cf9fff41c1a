/** The `outpool.yaml` of a folder, which may be another person's repository: it is used only with the content that a person trusts. */
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigError } from '../errors.js'
import { homeFolder } from '../state/home.js'
import { readOwnFile } from '../state/ownFile.js'
import { type SeenFile, TrustStore } from '../state/trustStore.js'
import { fileMaxBytes, textDigest } from './text.js'

export const configFileName = 'outpool.yaml'

/** Absolute path; null if the folder has none. */
export function localConfig(folder: string): string | null {
  const file = join(folder, configFileName)
  return existsSync(file) ? join(realpathSync(folder), configFileName) : null
}

/** Whether a person trusts it as it is. Opens no file that was never trusted. */
export function isTrustedConfig(file: string, env: NodeJS.ProcessEnv): boolean {
  const trusted = new TrustStore({ dir: homeFolder(env) }).digestOf(file)
  return trusted !== null && trusted === seenConfig(file)?.digest
}

/** As `outpool trust` remembers it. Null if it cannot be read, or is a link or no regular file. */
export function seenConfig(file: string): SeenFile | null {
  try {
    return { file, digest: textDigest(readOwnFile(file, fileMaxBytes)) }
  } catch {
    return null
  }
}

/** Throws ConfigError. */
export function assertTrustedConfig(file: string, env: NodeJS.ProcessEnv): void {
  if (isTrustedConfig(file, env)) return
  throw new ConfigError([
    {
      ...{ file, line: null, column: null },
      problem: 'this configuration was only found in a folder, and you do not trust it as it is now',
      remedy: `read it, then run: outpool trust ${dirname(file)} (or name it with --config or OUTPOOL_CONFIG)`,
    },
  ])
}
