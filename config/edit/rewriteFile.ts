/** Writes an edited `outpool.yaml` back. */
import { realpathSync, statSync } from 'node:fs'
import { replaceFile } from '../state/replaceFile.js'

/** The file keeps its mode, and a link that leads to it. Readers see either the old or the new text. */
export function rewriteFile(file: string, text: string): void {
  const real = realpathSync(file)
  replaceFile(real, text, { mode: statSync(real).mode & 0o777 })
}
