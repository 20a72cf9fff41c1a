/** The fleets of the tests: they share an engine, and run their commands in a process that stays. */
import { type Fleet, type FleetOptions, startFleet as start } from '../lab/fleet.js'
import { endNamespace, newNamespace } from '../lab/engine/sharedEngine.js'
import { shortLivedRuntime } from '../lab/standin/cleanEnv.js'
import { WarmCommand } from '../lab/machine/warmCommand.js'

export interface TestFleetOptions extends FleetOptions {
  /** `own`: `outpool up` runs an engine for this fleet alone, for a test that is about an engine. Default: `shared`. */
  engine?: 'own' | 'shared'
}

export async function startFleet({ engine = 'shared', ...options }: TestFleetOptions): Promise<Fleet> {
  const shared = engine === 'shared' ? await newNamespace() : null
  return start({
    commands: (program) => new WarmCommand(program),
    ...options,
    agent: { ...options.agent, env: { ...shortLivedRuntime, ...options.agent?.env } },
    env: { ...shared, ...options.env },
    ...(shared === null ? {} : { onClosed: () => endNamespace(shared.TEMPORAL_NAMESPACE) }),
  })
}
