/** What can be read from an error of unknown origin. */

/** The system's or a library's code, such as `ENOENT`; null if the error has none. */
export const errorCode = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

/** Whether a file or folder does not exist. */
export const isMissing = (error: unknown): boolean => {
  const code = errorCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
