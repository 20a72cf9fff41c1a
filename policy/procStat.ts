/** Reads what Linux says of a process in `/proc/<pid>/stat`. */

/** The fields from the third on (`state`, `ppid`, `pgrp`, `session`, ...): the second may hold spaces and brackets. */
export const statFieldsOf = (stat: string): string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ')

/**
 * Whether these are the fields of a process that has ended. A zombie with running threads has not: field 20 counts the threads,
 * including a dead first one.
 */
export const hasEnded = ([state, ...others]: readonly string[]): boolean =>
  state === 'X' || (state === 'Z' && Number(others[16]) <= 1)
