/** When workers of other hosts were last heard of, by the clock of this host. */
import type { ConnectionLike } from '@temporalio/client'
import type { HeardAt } from '../fleet/session.js'
import { lastSignsOfLife } from './signsOfLife.js'

/** `ahead`: measures or knows by how many ms the engine's clock is ahead of ours. */
export async function heardAt(
  connection: ConnectionLike,
  namespace: string,
  ahead: () => Promise<number>,
): Promise<HeardAt> {
  const [heard, difference] = await Promise.all([lastSignsOfLife(connection, namespace), ahead()])
  return Object.fromEntries([...heard].map(([host, at]) => [host, at - difference]))
}
