/** `engine.json`: how every command finds the engine of this home. */
import { rmSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import type { Home } from '../../config/state/home.js'
import { engineSchema, type EngineEndpoint, readEngine } from '../../config/state/liveFile.js'
import type { Say } from './install.js'
import { messageOf } from '../../policy/errorFacts.js'

/** Writes atomically: a command that reads the file meanwhile gets the old or the new content. */
export async function writeEndpoint(home: Home, endpoint: EngineEndpoint): Promise<void> {
  const draft = `${home.engineFile}.${process.pid}.new`
  await writeFile(draft, `${JSON.stringify(engineSchema.parse(endpoint), null, 2)}\n`, { mode: 0o600 })
  await rename(draft, home.engineFile)
}

/** Whatever has damaged the file, commands find the engine again. */
export function repairEndpoint(home: Home, endpoint: EngineEndpoint, say: Say): void {
  if (readEngine(home)?.address === endpoint.address) return
  writeEndpoint(home, endpoint).catch((error: unknown) =>
    say(`${home.engineFile} could not be written again: ${messageOf(error)}`),
  )
}

export function removeEndpoint(home: Home): void {
  rmSync(home.engineFile, { force: true })
}
