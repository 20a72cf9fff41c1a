/** A program under a service manager: ready, then alive until it is ended. */
import { ServiceManager } from '../../worker/serviceManager.js'

const manager = ServiceManager.take(process.env, console.error)
await manager?.ready()
await manager?.beatWhile(() => Promise.resolve(true), new AbortController().signal)
