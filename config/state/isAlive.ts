import { hasEnded } from '../../policy/procStat.js'
import { statFields } from './procStat.js'
import { errorCode } from '../../policy/errorFacts.js'

/**
 * A process of another user counts as alive: EPERM shows that it exists. A zombie does not: it can do nothing any more. `start`: field
 * 22 of `/proc/<pid>/stat`, by which a process that was given the id of an ended one is told apart, if the system has it.
 */
export function isAlive(pid: number, start: string | null = null): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
  const fields = statFields(pid)
  return fields === null || (!hasEnded(fields) && (start === null || fields[19] === start))
}
