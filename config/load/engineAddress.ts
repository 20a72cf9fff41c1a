/** Temporal's default port, as its libraries add it to an address without one. */
const defaultPort = 7233

/** Host and port of an engine's address, such as `127.0.0.1:7233`, `temporal.example` or `[::1]:7233`. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':')
  const host = colon < 0 ? address : address.slice(0, colon)
  return {
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port: colon < 0 ? defaultPort : Number(address.slice(colon + 1)),
  }
}
