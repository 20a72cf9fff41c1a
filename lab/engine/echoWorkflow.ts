/** A minimal workflow: it returns its input. */
export const echo = (text: string): Promise<string> => Promise.resolve(text)
