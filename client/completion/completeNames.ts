/** The hidden `outpool __complete KIND`: names for the shell, one per line. Answers while the user types, so it never asks the engine. */
import { readdirSync } from 'node:fs'
import { type NameKind, nameKinds } from '../../config/localSocket/protocol.js'
import { type Home, openHome } from '../../config/state/home.js'
import { namePattern } from '../../policy/ids.js'
import { askWorker, type Patience } from '../localSocket/askWorker.js'
import { writeText } from '../output/terminal.js'

/** A person who waits for a word waits no longer than this. Milliseconds. */
const patience: Patience = { greeting: 150, answer: 300 }

type ConfiguredKind = Exclude<NameKind, 'session'>
/** The names in the configuration file. */
export type ReadNames = (kind: ConfiguredKind) => Promise<string[]>

/** `fromFile` is called if the worker does not answer, or if a person has named a configuration. Rejects only as that does. */
export async function completeNames([kind]: readonly string[], fromFile: ReadNames): Promise<void> {
  const known = nameKinds.find((one) => one === kind)
  if (known === undefined) return
  const names = known === 'session' ? await sessionNames() : await configuredNames(known, fromFile)
  if (names.length > 0) writeText(process.stdout, `${names.join('\n')}\n`)
}

/** Those that the worker lists, which may run on other hosts, and those that have a folder on this host. */
async function sessionNames(): Promise<string[]> {
  const home = homeIfUsable()
  if (home === null) return []
  const listed = await askWorker(home, 'names', { of: 'session' }, patience)
  const folders = readdirSync(home.sessions).filter((name) => namePattern.test(name))
  return [...new Set([...(listed?.names ?? []), ...folders])].sort()
}

async function configuredNames(kind: ConfiguredKind, fromFile: ReadNames): Promise<string[]> {
  const home = (process.env['OUTPOOL_CONFIG'] ?? '') === '' ? homeIfUsable() : null
  const known = home === null ? null : await askWorker(home, 'names', { of: kind }, patience)
  return known?.names ?? fromFile(kind)
}

/** The command itself reports what is wrong with it. */
function homeIfUsable(): Home | null {
  try {
    return openHome()
  } catch {
    return null
  }
}
