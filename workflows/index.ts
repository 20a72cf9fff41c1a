/** The workflow kinds that the worker registers; their names here are their type names in the engine. */
export { drill } from './drill.js'
export { escalation } from './escalation/escalation.js'
export { loop } from './loop.js'
export { pool } from './pool.js'
export { session } from './session/session.js'
export { watchdog } from './watchdog/watchdog.js'
