/** As long as an outage often is: both the connection that is refused and the one that is silent. */
process.env['OUTPOOL_AWAY_SECONDS'] ??= '100'
await import('../agent/engineOutage.test.js')
export {}
