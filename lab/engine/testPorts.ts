/** Away from the usual ports, so that a test never uses those of a person's own engine. */
export const testPorts = { grpc: 27233, ui: 28233 }
