/** The least workflow there is: it ends with what it was given. */
export const echo = (text: string): Promise<string> => Promise.resolve(text)
