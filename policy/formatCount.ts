/** Counts in words for a person. */

/** `1 move`, `3 moves`; `plural` for a noun that does not end in s then. */
export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : plural}`

/** `once`, `3 times` */
export const times = (count: number): string => (count === 1 ? 'once' : `${count} times`)
