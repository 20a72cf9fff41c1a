/** `engine.json`: how every command finds the engine of this home. */
import { rmSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import type { Home } from '../../config/state/home.js'
import { engineSchema, type EngineEndpoint } from '../../config/state/liveFile.js'

/** Writes atomically: a command that reads the file meanwhile gets the old or the new content. */
export async function writeEndpoint(home: Home, endpoint: EngineEndpoint): Promise<void> {
  const draft = `${home.engineFile}.${process.pid}.new`
  await writeFile(draft, `${JSON.stringify(engineSchema.parse(endpoint), null, 2)}\n`, { mode: 0o600 })
  await rename(draft, home.engineFile)
}

export function removeEndpoint(home: Home): void {
  rmSync(home.engineFile, { force: true })
}
