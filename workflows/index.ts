/** The workflow kinds that the worker registers; their names here are their type names in the engine. */
export { drill } from './drill/workflow.js'
export { escalation } from './escalation/workflow.js'
export { loop } from './loop/workflow.js'
export { pool } from './pool/workflow.js'
export { session } from './session/workflow.js'
export { watchdog } from './watchdog/workflow.js'
