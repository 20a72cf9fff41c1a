/** What this process prints on a terminal: names, paths and errors of others are in it, and escape sequences in them are not. */
import { printable, printableInColor } from '../policy/printable.js'

/** From now on, texts that are written to the stream, by whatever part of the process, lose them. `inColor`: keeps our own colours. */
export function printOnlyText(stream: NodeJS.WriteStream, inColor: boolean): void {
  const clean = inColor ? printableInColor : printable
  const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean
  stream.write = (chunk: unknown, ...rest: unknown[]) =>
    write(typeof chunk === 'string' ? clean(chunk) : chunk, ...rest)
}
