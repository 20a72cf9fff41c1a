/** The instant of the workflow's own clock, the same at every replay. */
export const now = (): string => new Date().toISOString()
