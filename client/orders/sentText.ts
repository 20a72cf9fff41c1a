/** The text of `outpool send`: from words, from stdin or from a file. It is sent completely or not at all. */
import { open } from 'node:fs/promises'
import { FailedError, UsageError } from '../errors.js'
import { messageOf } from '../../policy/errorFacts.js'

/** The engine refuses payloads above 2 MB, and a history must hold several texts. */
const textMaxBytes = 512 * 1024

const tooLong = (): UsageError =>
  new UsageError(
    `the text is longer than ${textMaxBytes / 1024} KiB, and nothing of it was sent`,
    'save it as a file and send the agent its path',
  )

/** Throws UsageError if it is too long, empty or not text. */
export function validateText(text: string): string {
  if (!/[^\p{C}\p{Z}\p{M}]/u.test(text))
    throw new UsageError(
      'there is no text to send',
      'write it after the name, or - to read it from stdin, or name a file with --file',
    )
  if (Buffer.byteLength(text) > textMaxBytes) throw tooLong()
  return text
}

/** Throws UsageError if it is too long, empty or not text. */
export async function readTextFromStream(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    // UTF-16 takes up to twice the space.
    if (bytes > 2 * textMaxBytes + 2) throw tooLong()
    chunks.push(chunk)
  }
  return validateText(decoded(Buffer.concat(chunks)))
}

/** Throws FailedError if the file can't be read, UsageError if it is too long, empty or not text. */
export async function readTextFromFile(path: string): Promise<string> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error)
  })
  try {
    return await readTextFromStream(file.createReadStream() as AsyncIterable<Uint8Array>)
  } catch (error) {
    throw error instanceof UsageError ? error : unreadable(path, error)
  } finally {
    await file.close()
  }
}

const unreadable = (path: string, error: unknown): FailedError =>
  new FailedError(
    `the file ${path} can't be read: ${messageOf(error)}`,
    'name a file that you are allowed to read',
  )

/** Decodes by the byte order mark, else as UTF-8. Any other encoding would reach the agent as wrong letters. */
function decoded(bytes: Buffer): string {
  const [first, second] = bytes
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text
  } catch {
    // Reported below, with the remedy.
  }
  throw new UsageError(
    'the text is neither UTF-8 nor UTF-16 with a byte order mark, and nothing of it was sent',
    'convert it first, for example with: iconv -f ISO-8859-1 -t UTF-8 FILE',
  )
}
