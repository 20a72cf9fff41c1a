/** The workflow's own clock: it gives the same instants at every replay. ISO 8601 in UTC. */
export const now = (): string => new Date().toISOString()

/** The instant `ms` milliseconds from now. */
export const later = (ms: number): string => new Date(Date.now() + ms).toISOString()
