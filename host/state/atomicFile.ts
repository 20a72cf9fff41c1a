/** Writes files of Outpool's own so that a reader sees either the old or the new content, even after a crash. */
import { replaceFile } from '../../config/state/replaceFile.js'

/** The content is on disk before the file gets its name. Mode 0600. */
export const writeFileAtomic = (path: string, content: string): void => replaceFile(path, content, 0o600)
