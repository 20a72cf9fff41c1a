/** Reads a transcript's lines in chunks, from any offset on, so that memory stays bounded. */
import { openRegular } from '../../files.js'
import { isMissing } from '../../../policy/errorFacts.js'

const chunkBytes = 256 * 1024

/** A longer line can only be a tool's output or a pasted file, and is skipped. */
const lineMaxBytes = 16 * 1024 * 1024

const newline = 0x0a

/**
 * Calls `onLine` for every whole line from `offset` (bytes) on, and returns where the last one ended. A file that is missing, or
 * shorter than the offset, has none.
 */
export async function eachLine(
  transcript: string,
  offset: number,
  onLine: (line: string) => void,
): Promise<number> {
  const file = await openRegular(transcript).catch((error: unknown) => {
    if (isMissing(error)) return null
    throw error
  })
  if (file === null) return offset
  let readTo = offset
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes)
    let pending: Buffer[] = []
    let pendingBytes = 0
    let position = offset
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, chunkBytes, position)
      if (bytesRead === 0) return readTo
      let from = 0
      for (
        let end = chunk.indexOf(newline);
        end >= 0 && end < bytesRead;
        end = chunk.indexOf(newline, from)
      ) {
        const piece = chunk.subarray(from, end)
        if (pendingBytes + piece.length <= lineMaxBytes)
          onLine(Buffer.concat([...pending, piece]).toString('utf8'))
        pending = []
        pendingBytes = 0
        from = end + 1
        readTo = position + from
      }
      pendingBytes += bytesRead - from
      if (pendingBytes <= lineMaxBytes) pending.push(Buffer.from(chunk.subarray(from, bytesRead)))
      else pending = []
      position += bytesRead
    }
  } finally {
    await file.close()
  }
}
