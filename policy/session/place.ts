/** A place by its name. The host resolves it to a config dir and an environment. */
export interface PlaceRef {
  kind: 'account' | 'substrate'
  name: string
}

export const isSamePlace = (a: PlaceRef | null, b: PlaceRef | null): boolean =>
  a?.kind === b?.kind && a?.name === b?.name
