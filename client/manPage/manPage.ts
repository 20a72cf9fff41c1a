/** The manual page, made from the command tree like `--help`. */
import { type CommandSpec, globalOptions, type OptionSpec } from '../commandTree/commandSpec.js'

/** In roff, the format of `man`. `version`: of the package. */
export function manPage(commands: readonly CommandSpec[], version: string): string {
  return [
    `.TH OUTPOOL 1 "" "outpool ${version}" "Outpool"`,
    '.SH NAME',
    'outpool \\- keeps a fleet of coding agents working',
    '.SH SYNOPSIS',
    '.B outpool',
    '.I command',
    '[options] [arguments]',
    '.SH DESCRIPTION',
    'Keeps a fleet of coding agents working over several accounts: when an account hits its limit, each session moves to another with its whole conversation.',
    ...[...new Set(commands.map(({ group }) => group))].flatMap((group) => [
      `.SH ${escaped(group.toUpperCase())}`,
      ...commands.filter((one) => one.group === group).flatMap(entry),
    ]),
    '.SH OPTIONS OF EVERY COMMAND',
    ...globalOptions.flatMap(option),
    ...option({ flags: '-h, --help', description: 'show help' }),
    '.SH EXIT STATUS',
    ...exitCodes.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, meaning]),
    '.SH FILES',
    '.TP',
    '.I outpool.yaml',
    'the configuration: the file that OUTPOOL_CONFIG or \\-\\-config names, or the one of the running worker',
    '.TP',
    '.I OUTPOOL_HOME',
    'the state of this host; by default ~/.local/state/outpool',
    '',
  ].join('\n')
}

const exitCodes = [
  [0, 'done'],
  [1, 'the thing asked for failed'],
  [2, 'wrong usage or configuration'],
  [3, 'the engine cannot be reached'],
] as const

function entry({ name, description, args = [], options = [], examples = [] }: CommandSpec): string[] {
  const usage = [name, ...args.map((arg) => arg.name)].map(escaped).join(' ')
  return [
    `.SS outpool ${usage}`,
    sentence(description),
    ...args.flatMap((arg) => option({ flags: arg.name, description: arg.description })),
    ...options.flatMap(option),
    ...(examples.length === 0 ? [] : ['.PP', 'Examples:', '.nf', ...examples.map(line), '.fi']),
  ]
}

const option = ({ flags, description }: OptionSpec): string[] => [
  '.TP',
  `.B ${escaped(flags)}`,
  line(description),
]

const sentence = (text: string): string => line(`${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`)

/** A line that begins with a dot or an apostrophe would be an order to the formatter. */
const line = (text: string): string => (/^[.']/.test(text) ? `\\&${escaped(text)}` : escaped(text))

/** A formatter may show a bare hyphen as a dash, which a shell does not take for one. */
const escaped = (text: string): string => text.replaceAll('\\', '\\e').replaceAll('-', '\\-')
