/** The text of the unit, from the template that ships with the package. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Scope = 'user' | 'system'

export interface UnitInput {
  scope: Scope
  /** Absolute paths: Node, the worker's program, outpool.yaml, the user's home. */
  node: string
  program: string
  config: string
  home: string
  /** The user that a system service runs as. */
  user: string
  env: Readonly<Record<string, string | undefined>>
}

/** Variables of the shell that the service needs to find the same programs, state and engine. None is a secret. */
const passedOnVariables = [
  'PATH',
  'OUTPOOL_HOME',
  'XDG_STATE_HOME',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
] as const

/** The file that holds secrets for the service; the unit contains none. */
export const secretsFile = (home: string): string => join(home, '.config', 'outpool', 'environment')

export function unitText({ scope, node, program, config, home, user, env }: UnitInput): string {
  const set = passedOnVariables.flatMap((name) => {
    const value = env[name]
    return value === undefined || value === '' ? [] : [`Environment=${word(`${name}=${value}`)}`]
  })
  const fields: Record<string, string> = {
    COMMAND: [node, program, 'up', '--config', config].map(argument).join(' '),
    HOME: value(home),
    ENVIRONMENT: [...(scope === 'system' ? [`User=${user}`] : []), ...set].join('\n'),
    SECRETS: value(secretsFile(home)),
    TARGET: scope === 'system' ? 'multi-user.target' : 'default.target',
  }
  return template().replaceAll(/@([A-Z]+)@/g, (place, name: string) => fields[name] ?? place)
}

const template = (): string => {
  // This file runs from dist/client/service/ or from client/service/.
  const up = import.meta.url.includes('/dist/') ? '../../../' : '../../'
  return readFileSync(fileURLToPath(new URL(`${up}deploy/systemd/outpool.service`, import.meta.url)), 'utf8')
}

/** Escaped, since systemd expands `%` everywhere. */
const value = (text: string): string => text.replaceAll('%', '%%')

/** In quotes, with systemd's escapes. */
const word = (text: string): string =>
  `"${value(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`

/** Escaped for command lines, in which systemd expands `$` too. */
const argument = (text: string): string => {
  const escaped = text.replaceAll('$', '$$$$')
  return /^[\w/.:@+,=-]+$/.test(escaped) ? value(escaped) : word(escaped)
}
