/** What all scenes of a rehearsal share. */
import type { AgentCommand } from '../../agents/adapter/place.js'
import type { PaneHarness } from '../../lab/paneHarness.js'
import type { World } from '../../lab/standin/world.js'

export interface Context {
  harness: PaneHarness
  world: World
  /** The program outside of a pane. Its environment is that of this process, which is clean. */
  command: AgentCommand
}

export const hoursAhead = (n: number): Date =>
  new Date(Math.ceil(Date.now() / 60_000) * 60_000 + n * 3_600_000)

/** In which the program asks for each permission that its arguments do not give. */
export const manualMode = ['--permission-mode', 'manual'] as const
