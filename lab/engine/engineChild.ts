/**
 * Opens the engine of OUTPOOL_HOME in a separate process, prints its endpoint, and stays until it is killed.
 */
import { openHome } from '../../config/state/home.js'
import { openEngine } from '../../worker/engine/index.js'
import { ownEngineOnly } from './ownEngineOnly.js'
import { testPorts } from './testPorts.js'

const engine = await openEngine({
  home: openHome(),
  env: ownEngineOnly(),
  say: () => undefined,
  firstPorts: testPorts,
})
console.log(JSON.stringify(engine.endpoint))
setInterval(() => undefined, 1_000_000)
