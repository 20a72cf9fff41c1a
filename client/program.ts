/** The command line: commander parses it with the command tree, and every failure is formatted here. */
import { Argument, Command, CommanderError } from 'commander'
import { assertNamedConfig, passedOverConfig } from '../config/load/find.js'
import { CommandContext, printNotice } from './commandContext.js'
import { type CommandSpec, globalOptions } from './commandTree/commandSpec.js'
import { commandTree } from './commandTree/commandTree.js'
import { UsageError } from './errors.js'
import { FleetReader } from './fleet/fleetReader.js'
import { aliases, otherWords } from './commandTree/otherWords.js'
import { formatError } from './output/formatError.js'
import { readRunningHolder } from '../config/state/workerLock.js'
import { version } from '../config/version.js'
import { namePattern } from '../policy/ids.js'
import { writeText } from './output/terminal.js'

interface MainOptions {
  /** Whether another program has begun with the command line, and has found that the worker does not answer. */
  isHandedOn?: boolean
  fleet?: FleetReader
  /** Whether this failure means that another program has to run the command line: then nothing is printed of it. */
  isHandedOver?: (error: unknown) => boolean
}

/** Runs one command line and sets the exit code; never throws. Returns false if it is handed over. */
export async function main(
  argv: readonly string[],
  {
    isHandedOn = false,
    fleet = new FleetReader({ isWorkerSilent: isHandedOn }),
    isHandedOver = () => false,
  }: MainOptions = {},
): Promise<boolean> {
  try {
    await programFor(argv, { fleet, isNoted: isHandedOn }).parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (isHandedOver(error)) return false
    if (error instanceof CommanderError && error.code === 'commander.version') noteOtherVersion()
    const failure = error instanceof CommanderError ? usageErrorOf(error) : error
    if (failure === null) return true
    const { exitCode, text } = formatError(
      failure,
      argv.includes('--debug') && !(error instanceof CommanderError),
    )
    writeText(process.stderr, `${text}\n`)
    process.exitCode = exitCode
  }
  return true
}

interface ProgramOptions {
  fleet: FleetReader
  /** Whether a person was told already which configuration is used. */
  isNoted: boolean
}

/** A command that is called by its name needs no other. */
function programFor([name]: readonly string[], options: ProgramOptions): Command {
  const program = new Command('outpool')
    .description('Keeps a fleet of coding agents working.')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .commandsGroup('More:')
    .helpCommand('help [command]', 'show help for a command')
    .exitOverride()
    // usageErrorOf formats commander's messages like ours.
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError(true)
  for (const option of globalOptions) program.option(option.flags, option.description)
  const called = commandTree.find((one) => one.name === name)
  if (called !== undefined) return program.addCommand(commandFor(called, options))
  // Headings come in the order in which their first command is added.
  for (const spec of commandTree) program.addCommand(commandFor(spec, options))
  for (const spec of aliases(commandTree)) program.addCommand(commandFor(spec, options), { hidden: true })
  for (const other of otherWords) program.addCommand(commandForWord(other), { hidden: true })
  return program
}

function commandFor(spec: CommandSpec, { fleet, isNoted }: ProgramOptions): Command {
  const command = new Command(spec.name)
    .description(spec.description)
    .helpGroup(`${spec.group}:`)
    .helpOption('-h, --help', 'show help')
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
  for (const { name, description, choices } of spec.args ?? []) {
    const argument = new Argument(name, description)
    command.addArgument(choices === undefined ? argument : argument.choices(choices))
  }
  for (const { flags, description } of [...(spec.options ?? []), ...globalOptions])
    command.option(flags, description)
  if (spec.examples !== undefined)
    command.addHelpText('after', `\nExamples:\n${spec.examples.map((example) => `  ${example}`).join('\n')}`)
  return command.action(async () => {
    const context = new CommandContext(command.args, command.optsWithGlobals(), fleet)
    if (spec.withoutConfig !== true) {
      assertNamedConfig({ path: context.config })
      if (!isNoted) noteOtherConfig(context)
    }
    await spec.run(context)
  })
}

/** Throws UsageError with what to type instead, whatever follows the word. */
const commandForWord = ({ word, instead }: (typeof otherWords)[number]): Command =>
  new Command(word)
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .action((words: readonly string[]) => {
      const name = words.find((one) => namePattern.test(one)) ?? 'NAME'
      throw new UsageError(`there is no command ${word}`, instead(name))
    })

/** A person whose current folder has an outpool.yaml may expect it to be used. */
function noteOtherConfig({ config }: CommandContext): void {
  const passedOver = passedOverConfig({ path: config })
  if (passedOver === null) return
  const { local, isTrusted, used } = passedOver
  if (used?.by === 'running-worker')
    printNotice(`the running worker uses ${used.file}, and so does this command, not ${local}`)
  else if (used !== null) printNotice(`this command uses ${used.file}, not ${local}; name that with --config`)
  else if (!isTrusted) printNotice(`${local} is not used: you have neither named nor trusted it`)
}

/** After an upgrade, an older worker runs until it is replaced. */
function noteOtherVersion(): void {
  const running = readRunningHolder()
  if (running !== null && running.version !== null && running.version !== version())
    printNotice(`the running worker (process ${running.pid}) is of ${running.version}; see: outpool doctor`)
}

/** Null for help and version, which commander also ends with an error. */
function usageErrorOf(error: CommanderError): UsageError | null {
  if (error.exitCode === 0) return null
  if (error.code === 'commander.help') {
    process.exitCode = 2
    return null
  }
  const [first = '', ...more] = error.message.split('\n')
  const suggestion = /\((Did you mean .+\?)\)/.exec(more.join(' '))?.[1]
  const remedy = suggestion === undefined ? 'see --help' : suggestion.replace('Did', 'did')
  return new UsageError(first.replace(/^error: /, '').replace(/\.$/, ''), remedy)
}
