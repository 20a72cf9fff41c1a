/** Whether what is printed is coloured. */
import type { WriteStream } from 'node:tty'
import picocolors from 'picocolors'
import type { Colors } from 'picocolors/types.js'

/** Colours only on a terminal, and never if NO_COLOR has any value. */
export function colorsFor(stream: WriteStream, env: NodeJS.ProcessEnv = process.env): Colors {
  // A pipe has no `isTTY` at all, and without an explicit choice the library decides by the environment.
  const plain = !stream.isTTY || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  return picocolors.createColors(!plain)
}
