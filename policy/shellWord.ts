/** Words of a command line for a POSIX shell. */

export const shellQuoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** Quoted only if it needs to be, so that the line stays readable. */
export const shellWord = (word: string): string => (/^[\w./:=-]+$/.test(word) ? word : shellQuoted(word))
