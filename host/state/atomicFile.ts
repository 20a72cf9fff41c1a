/** Writes Outpool's own files, which only this user may read, so that a reader sees either the old or the new content. */
import { replaceFile, type ReplaceOptions } from '../../config/state/replaceFile.js'

/** Mode 0600; for the rest see `replaceFile`. */
export const writeFileAtomic = (
  path: string,
  content: string,
  options: Pick<ReplaceOptions, 'isDurable'> = {},
): void => replaceFile(path, content, options)
