/**
 * The programs that `outpool` runs in separate processes, with the flags that they take: what the command line offers, what it passes
 * on, and what the program reads come from this table.
 */
import { parseArgs } from 'node:util'

export type HostProgram =
  | 'up'
  | 'down'
  | 'worker'
  | 'doctor'
  | 'notices'
  | 'trust'
  | 'untrusted'
  | 'agents'
  | 'turn'
  | 'usage'
  | 'rehearse'
  | 'demo'

export interface HostFlag {
  name: string
  /** How help shows its value; null if it takes none. */
  value: '<file>' | '<folder>' | '<id>' | '<format>' | '<level>' | '<scene>' | '<name>' | '<time>' | null
  description: string
}

const flag = (name: string, description: string): HostFlag => ({ name, value: null, description })

/** Flags that every program takes. */
export const commonFlags: readonly HostFlag[] = [
  { name: 'config', value: '<file>', description: 'the outpool.yaml to use' },
  flag('debug', 'print the full error with its stack'),
]

const logFlags: readonly HostFlag[] = [
  { name: 'log', value: '<format>', description: 'text or json (default: OUTPOOL_LOG, else text)' },
  { name: 'log-level', value: '<level>', description: 'debug, info, warn or error (default: info)' },
]

/** Flags that only this program takes. */
export const programFlags: Readonly<Record<HostProgram, readonly HostFlag[]>> = {
  up: [
    flag('ui', "serve Temporal's Web UI, to which any page in your browser can send requests"),
    flag('replace', 'take over from one that runs already; from an older version `up` always does'),
    ...logFlags,
  ],
  down: [],
  worker: logFlags,
  doctor: [
    flag('domains', 'instead: list what the healer needs and what it heals, and what the two share'),
    flag('mermaid', 'like --domains, as a Mermaid diagram'),
    flag('json', 'print JSON instead of a table'),
  ],
  notices: [flag('json', 'print JSON')],
  agents: [{ name: 'conversation', value: '<id>', description: 'also look for this stopped conversation' }],
  turn: [
    { name: 'agent', value: '<name>', description: 'the agent program' },
    { name: 'conversation', value: '<id>', description: 'the conversation' },
  ],
  usage: [{ name: 'since', value: '<time>', description: 'an instant' }],
  rehearse: [
    {
      ...{ name: 'program', value: '<file>' as const },
      description: 'the agent program to rehearse, instead of the configured one',
    },
    { name: 'only', value: '<scene>', description: 'check a part; its result is not kept' },
    flag('json', 'print JSON instead of a table'),
  ],
  demo: [flag('keep', 'leave it running until Ctrl-C, with the Web UI')],
  untrusted: [{ name: 'path', value: '<folder>', description: 'only this folder' }],
  trust: [
    { name: 'path', value: '<folder>', description: 'the folder of the project' },
    flag('dry-run', 'only show what its settings make an agent do'),
    flag('revoke', 'trust nothing in this folder any more'),
  ],
}

const flagsOf = (program: HostProgram): HostFlag[] => [...programFlags[program], ...commonFlags]

/** What was given on a command line: `option` is null and `flag` is false for a flag that was not. */
export interface GivenFlags {
  option(name: string): string | null
  flag(name: string): boolean
}

/** The arguments with which `program` is started, its own name first; `parseProgram` reads them. */
export const programArguments = (program: HostProgram, given: GivenFlags): string[] => [
  program,
  ...flagsOf(program).flatMap(({ name, value }) => {
    if (value === null) return given.flag(name) ? [`--${name}`] : []
    const text = given.option(name)
    return text === null ? [] : [`--${name}`, text]
  }),
]

/** Null if the arguments don't begin with a program. Throws TypeError on a flag that the program does not take. */
export function parseProgram(args: readonly string[]): { program: HostProgram; given: GivenFlags } | null {
  const [program = '', ...rest] = args
  if (!isHostProgram(program)) return null
  const options = Object.fromEntries(
    flagsOf(program).map(({ name, value }) => [
      name,
      { type: value === null ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  const { values } = parseArgs({ args: rest, options })
  return {
    program,
    given: {
      option: (name) => {
        const value = values[name]
        return typeof value === 'string' ? value : null
      },
      flag: (name) => values[name] === true,
    },
  }
}

const isHostProgram = (name: string): name is HostProgram => Object.hasOwn(programFlags, name)

/** One line for each program with its flags, for a call that names none. */
export const programUsage = (): string =>
  (['up', 'down', 'worker', 'doctor', 'notices', 'trust', 'untrusted', 'agents', 'turn', 'usage'] as const)
    .map((program) => `main.js ${program}${flagsOf(program).map(shown).join('')}`)
    .join('\n')

const shown = ({ name, value }: HostFlag): string => ` [--${name}${value === null ? '' : ` ${value}`}]`
