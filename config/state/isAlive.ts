import { hasEnded, statFields } from './procStat.js'

/** A process of another user counts as alive: EPERM shows that it exists. A zombie does not: it can do nothing any more. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
  const fields = statFields(pid)
  return fields === null || !hasEnded(fields)
}
