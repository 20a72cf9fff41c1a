/** The keys that seal what the engine stores: whether they are there, private, and those of the fleet. */
import { existsSync } from 'node:fs'
import { readSealKeys } from '../../config/seal/keys.js'
import type { Home } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { assertFleetKey } from '../connection/fleetKeys.js'
import { namedEngine, reach } from '../engine/connect.js'
import { type Finding, ok } from './finding.js'

/** Milliseconds. */
const answerWithin = 5_000

/** Throws SealKeyError and FleetKeyError, which say what to do. `pool`: null if the configuration cannot be used. */
export async function checkSealKeys(
  home: Home,
  env: NodeJS.ProcessEnv,
  pool: string | null,
): Promise<Finding> {
  const keys = existsSync(home.sealKeys) ? readSealKeys(home) : null
  const found = ok(
    'sealing keys',
    keys === null
      ? 'none yet: the first `outpool up` makes them; on a further host of a fleet, copy seal-keys.json from the first one'
      : `the current one is ${keys.current.id}, of ${keys.byId.size}`,
  )
  const named = namedEngine(env)
  const running = readEngine(home)
  const address = named?.options.address ?? running?.address
  if (address === undefined || pool === null) return found
  // An engine that does not answer is a finding of its own.
  const connection = await reach({ ...named?.options, address }, answerWithin).catch(() => null)
  if (connection === null) return found
  try {
    const namespace = named?.namespace ?? running?.namespace ?? 'default'
    await connection.withDeadline(Date.now() + answerWithin, () =>
      assertFleetKey({ connection, namespace }, home, keys, pool),
    )
    return found
  } finally {
    await connection.close()
  }
}
