/** `outpool doctor --domains`: what the healer needs, what it heals, and what they share, as a table, JSON or a diagram. */
import { readDomains } from '../../host/identity/failureDomains.js'
import { colorsFor } from '../../config/colors.js'
import type { Config } from '../../config/config.js'
import type { Home } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { type HealerMap, type Setup, healerMap } from '../../policy/independence/healerMap.js'
import { namedEngine } from '../engine/connect.js'
import { pictureOf } from './domainPicture.js'
import { tableOf } from './domainTable.js'

export type DomainsFormat = 'table' | 'json' | 'mermaid'

/** Prints what is shared. True if nothing of it is refused. */
export async function showDomains(home: Home, config: Config, format: DomainsFormat): Promise<boolean> {
  const map = healerMap(await readSetup(home, config, process.env))
  console.log(printed(map, format))
  return map.cells.every(({ verdict }) => verdict !== 'refused')
}

function printed(map: HealerMap, format: DomainsFormat): string {
  switch (format) {
    case 'table':
      return tableOf(map, colorsFor(process.stdout))
    case 'json':
      return JSON.stringify(map.cells, null, 2)
    case 'mermaid':
      return pictureOf(map)
  }
}

async function readSetup(home: Home, config: Config, env: NodeJS.ProcessEnv): Promise<Setup> {
  const { healer, pool } = await readDomains(config)
  const agents = Object.entries(config.agents).map(([name, { command }]) => [name, command] as const)
  return {
    host: home.hostId,
    home: home.dir,
    engine: engineOf(home, env),
    healer,
    pool,
    agents: Object.fromEntries(agents),
  }
}

function engineOf(home: Home, env: NodeJS.ProcessEnv): Setup['engine'] {
  const named = namedEngine(env)
  if (named === null) {
    const running = readEngine(home)
    const what = running === null ? 'embedded' : `embedded, at ${running.address}`
    return { what, database: home.database, isHere: true, isEmbedded: true }
  }
  const { address } = named.options
  const host = address.replace(/:\d+$/, '')
  const isHere = host === 'localhost' || host === '[::1]' || host.startsWith('127.')
  return { what: `yours, at ${address}`, database: `of the engine at ${address}`, isHere, isEmbedded: false }
}
