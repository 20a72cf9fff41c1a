/** Prints the agents of this host that Outpool does not keep, as JSON for `outpool adopt`. */
import type { Config } from '../config/config.js'
import type { Home } from '../config/state/home.js'
import { findAgents } from '../host/adoption/findAgents.js'

/** `conversation`: the id of a stopped conversation to look for, or null. */
export async function printAgents(home: Home, config: Config, conversation: string | null): Promise<void> {
  const found = await findAgents(home, config, conversation)
  process.stdout.write(`${JSON.stringify(found)}\n`)
}
