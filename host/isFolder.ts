import { statSync } from 'node:fs'

/** False if there is nothing. Throws if that can't be told. */
export const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
