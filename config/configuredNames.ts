/** The names in a configuration that a word of a command can stand for. */
import type { Config } from './config.js'
import type { NameKind } from './localSocket/protocol.js'

export function configuredNames(
  { pool, agents, services, tasks }: Config,
  kind: Exclude<NameKind, 'session'>,
): string[] {
  switch (kind) {
    case 'account':
      return pool.accounts.map(({ name }) => name)
    case 'agent':
      return Object.keys(agents)
    case 'service':
      return services.map(({ name }) => name)
    case 'task':
      return tasks.map(({ name }) => name)
  }
}
