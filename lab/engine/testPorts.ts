import { randomInt } from 'node:crypto'

/** Away from the usual ports, so that a test never uses those of a person's own engine. */
export const testPorts = { grpc: 27233, ui: 28233 }

/** For a test that needs exactly the ports that it has found free: those that a test run beside it tries first are others. */
export const randomPorts = () => ({ grpc: randomInt(10_000, 20_000), ui: randomInt(20_000, 30_000) })
