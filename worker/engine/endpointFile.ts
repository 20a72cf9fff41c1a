/** `engine.json`: how every command finds the engine of this home. */
import { rmSync } from 'node:fs'
import type { Home } from '../../config/state/home.js'
import { engineSchema, type EngineEndpoint, readEngine } from '../../config/state/liveFile.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Say } from './install.js'
import { messageOf } from '../../policy/errorFacts.js'

export function writeEndpoint(home: Home, endpoint: EngineEndpoint): void {
  const content = `${JSON.stringify(engineSchema.parse(endpoint), null, 2)}\n`
  writeFileAtomic(home.engineFile, content, { isDurable: false })
}

/** Whatever has damaged the file, commands find the engine again. */
export function repairEndpoint(home: Home, endpoint: EngineEndpoint, say: Say): void {
  if (readEngine(home)?.address === endpoint.address) return
  try {
    writeEndpoint(home, endpoint)
  } catch (error) {
    say(`${home.engineFile} could not be written again: ${messageOf(error)}`)
  }
}

export function removeEndpoint(home: Home): void {
  rmSync(home.engineFile, { force: true })
}
