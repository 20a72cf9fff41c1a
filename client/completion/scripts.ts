/** Completion scripts for shells, generated from the command tree. They ask `outpool __complete` for names when needed. */
import { shellQuoted } from '../../policy/shellWord.js'
import {
  type CommandSpec,
  type CompletionKind,
  globalOptions,
  type OptionSpec,
} from '../commandTree/commandSpec.js'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

export function completionScript(shell: Shell, commands: readonly CommandSpec[]): string {
  switch (shell) {
    case 'bash':
      return bash(commands)
    case 'zsh':
      return zsh(commands)
    case 'fish':
      return fish(commands)
  }
}

const optionsOf = (command: CommandSpec): OptionSpec[] => [...(command.options ?? []), ...globalOptions]
const longOf = (option: OptionSpec): string => option.flags.split(' ', 1)[0] ?? option.flags
const takesValue = (option: OptionSpec): boolean => option.flags.includes('<')

/** Every option that takes a value, of all commands, without duplicates. */
const optionsWithValue = (commands: readonly CommandSpec[]): OptionSpec[] => {
  const all = [...globalOptions, ...commands.flatMap((command) => command.options ?? [])].filter(takesValue)
  return [...new Map(all.map((option) => [longOf(option), option])).values()]
}

function bash(commands: readonly CommandSpec[]): string {
  const words = (kind: CompletionKind | undefined, choices?: readonly string[]): string => {
    if (choices !== undefined)
      return `COMPREPLY=( $(compgen -W ${shellQuoted(choices.join(' '))} -- "$cur") )`
    if (kind === 'folder') return `COMPREPLY=( $(compgen -d -- "$cur") ); compopt -o filenames 2>/dev/null`
    if (kind === 'file') return `COMPREPLY=( $(compgen -f -- "$cur") ); compopt -o filenames 2>/dev/null`
    if (kind === undefined || kind === 'none') return 'COMPREPLY=()'
    return `COMPREPLY=( $(compgen -W "$(outpool __complete ${kind} 2>/dev/null)" -- "$cur") )`
  }
  const values = optionsWithValue(commands).map(
    (option) => `    ${longOf(option)}) ${words(option.completion)}; return ;;`,
  )
  const cases = commands.map((command) => {
    const [first] = command.args ?? []
    return [
      `    ${command.name})`,
      `      if [[ $cur == -* ]]; then COMPREPLY=( $(compgen -W ${shellQuoted(optionsOf(command).map(longOf).join(' '))} -- "$cur") )`,
      `      elif [[ $COMP_CWORD -eq 2 ]]; then ${words(first?.completion, first?.choices)}`,
      '      fi ;;',
    ].join('\n')
  })
  return [
    '# outpool completion for bash: source <(outpool completion bash)',
    '_outpool() {',
    '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"',
    '  COMPREPLY=()',
    '  if [[ $COMP_CWORD -eq 1 ]]; then',
    `    COMPREPLY=( $(compgen -W ${shellQuoted(commands.map(({ name }) => name).join(' '))} -- "$cur") )`,
    '    return',
    '  fi',
    '  case "$prev" in',
    ...values,
    '  esac',
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    '  esac',
    '}',
    'complete -F _outpool outpool',
  ].join('\n')
}

function zsh(commands: readonly CommandSpec[]): string {
  const words = (kind: CompletionKind | undefined, choices?: readonly string[]): string => {
    if (choices !== undefined) return `compadd -- ${choices.join(' ')}`
    if (kind === 'folder') return '_files -/'
    if (kind === 'file') return '_files'
    if (kind === undefined || kind === 'none') return ':'
    return `compadd -- \${(f)"$(outpool __complete ${kind} 2>/dev/null)"}`
  }
  const described = (name: string, description: string): string =>
    shellQuoted(`${name.replaceAll(':', '\\:')}:${description}`)
  const cases = commands.map((command) => {
    const [first] = command.args ?? []
    const options = optionsOf(command).map((option) => described(longOf(option), option.description))
    return [
      `    ${command.name})`,
      `      if [[ $PREFIX == -* ]]; then options=(${options.join(' ')}); _describe option options`,
      `      elif (( CURRENT == 3 )); then ${words(first?.completion, first?.choices)}`,
      '      fi ;;',
    ].join('\n')
  })
  return [
    '#compdef outpool',
    '# outpool completion for zsh: source <(outpool completion zsh)',
    '_outpool() {',
    '  local -a commands options',
    '  if (( CURRENT == 2 )); then',
    `    commands=(${commands.map(({ name, description }) => described(name, description)).join(' ')})`,
    '    _describe command commands',
    '    return',
    '  fi',
    '  case "${words[CURRENT-1]}" in',
    ...optionsWithValue(commands).map(
      (option) => `    ${longOf(option)}) ${words(option.completion)}; return ;;`,
    ),
    '  esac',
    '  case "${words[2]}" in',
    ...cases,
    '  esac',
    '}',
    '(( $+functions[compdef] )) && compdef _outpool outpool',
  ].join('\n')
}

function fish(commands: readonly CommandSpec[]): string {
  const asks = (kind: CompletionKind | undefined): string => {
    if (kind === 'folder') return " -a '(__fish_complete_directories)'"
    if (kind === 'file') return ' -F'
    if (kind === undefined || kind === 'none') return ''
    return ` -a '(outpool __complete ${kind})'`
  }
  const lines = commands.flatMap((command) => {
    const seen = `-n '__fish_seen_subcommand_from ${command.name}'`
    const [first] = command.args ?? []
    const names =
      first?.choices === undefined ? asks(first?.completion) : ` -a ${shellQuoted(first.choices.join(' '))}`
    return [
      `complete -c outpool -n __fish_use_subcommand -a ${command.name} -d ${shellQuoted(command.description)}`,
      ...(names === '' ? [] : [`complete -c outpool ${seen}${names}`]),
      ...optionsOf(command).map((option) => {
        const value = takesValue(option) ? ` -r${asks(option.completion)}` : ''
        return `complete -c outpool ${seen} -l ${longOf(option).slice(2)}${value} -d ${shellQuoted(option.description)}`
      }),
    ]
  })
  return ['# outpool completion for fish', 'complete -c outpool -f', ...lines].join('\n')
}
