/** The program's options (`claude --help` of 2.1.330): what to repeat when a conversation is resumed as it was started. */
import { basename } from 'node:path'
import type { CarriedStart, ConversationFacts } from '../../adapter/adopter.js'

type Takes = 'nothing' | 'one' | 'several' | 'maybe'

/** Repeated as they are. */
const kept: Readonly<Record<string, Takes>> = {
  '--add-dir': 'several',
  '--agent': 'one',
  '--agents': 'one',
  '--allowedTools': 'several',
  '--allowed-tools': 'several',
  '--append-system-prompt': 'one',
  '--append-system-prompt-file': 'one',
  '--autocompact': 'one',
  '--ax-screen-reader': 'nothing',
  '--betas': 'several',
  '--brief': 'nothing',
  '--chrome': 'nothing',
  '--no-chrome': 'nothing',
  '--debug': 'maybe',
  '-d': 'maybe',
  '--debug-file': 'one',
  '--disable-slash-commands': 'nothing',
  '--disallowedTools': 'several',
  '--disallowed-tools': 'several',
  '--effort': 'one',
  '--exclude-dynamic-system-prompt-sections': 'nothing',
  '--fallback-model': 'one',
  '--ide': 'nothing',
  '--mcp-config': 'several',
  '--name': 'one',
  '-n': 'one',
  '--plugin-dir': 'one',
  '--plugin-url': 'one',
  '--prompt-suggestions': 'maybe',
  '--restricted': 'nothing',
  '--setting-sources': 'one',
  '--settings': 'one',
  '--strict-mcp-config': 'nothing',
  '--system-prompt': 'one',
  '--system-prompt-file': 'one',
  '--system-prompt-snapshot': 'one',
  '--tools': 'several',
  '--verbose': 'nothing',
}

/** They chose the conversation or its folder, which is known now, or begin something else. */
const dropped: Readonly<Record<string, Takes>> = {
  '--continue': 'nothing',
  '-c': 'nothing',
  '--file': 'several',
  '--fork-session': 'nothing',
  '--from-pr': 'maybe',
  '--resume': 'maybe',
  '-r': 'maybe',
  '--session-id': 'one',
  '--teleport': 'maybe',
  '--tmux': 'nothing',
  '--worktree': 'maybe',
  '-w': 'maybe',
}

/** Replaced by what the conversation says, which may have changed since. */
const replaced: Readonly<Record<string, Takes>> = {
  '--allow-dangerously-skip-permissions': 'nothing',
  '--dangerously-skip-permissions': 'nothing',
  '--model': 'one',
  '--permission-mode': 'one',
}

const known: Readonly<Record<string, Takes>> = { ...kept, ...dropped, ...replaced }

/** Values that may hold a secret or a prompt. */
const mayBePrivate: ReadonlySet<string> = new Set([
  ...['--agents', '--append-system-prompt', '--mcp-config', '--plugin-url', '--settings', '--system-prompt'],
])

interface Option {
  name: string
  values: string[]
  words: string[]
}

export const isPrintMode = (argv: readonly string[]): boolean =>
  optionsIn(argv).some(({ name }) => name === '-p' || name === '--print')

export function carryStart(argv: readonly string[], facts: ConversationFacts): CarriedStart {
  const options = optionsIn(argv)
  const has = (name: string): boolean => options.some((option) => option.name === name)
  const valueOf = (name: string): string | null =>
    options.findLast((option) => option.name === name)?.values[0] ?? null
  const unknown = options.flatMap(({ name }) => (known[name] === undefined ? [name] : []))
  return {
    args: [
      ...permissionArguments({
        started: has('--dangerously-skip-permissions') ? 'bypassPermissions' : valueOf('--permission-mode'),
        mayBypass: has('--dangerously-skip-permissions') || has('--allow-dangerously-skip-permissions'),
        now: facts.permissionMode,
      }),
      ...options.flatMap(({ name, words }) => (kept[name] === undefined ? [] : words)),
    ],
    // A resumed conversation brings back the model that a person has chosen in it.
    model: facts.hasChangedModel ? null : valueOf('--model'),
    unknown: [...new Set(unknown)],
  }
}

/** A resumed conversation brings back its permission mode, except these two. */
const notRestored: readonly string[] = ['plan', 'bypassPermissions']

function permissionArguments({
  started,
  mayBypass,
  now,
}: {
  started: string | null
  mayBypass: boolean
  now: string | null
}): string[] {
  const mode = now ?? started
  return [
    ...(mode === null || (now !== null && !notRestored.includes(mode)) ? [] : ['--permission-mode', mode]),
    ...(mayBypass ? ['--allow-dangerously-skip-permissions'] : []),
  ]
}

export function publicArguments(args: readonly string[]): string[] {
  return parsed(args).flatMap(({ name, words }) => (mayBePrivate.has(name) ? [] : words))
}

/** The words of a command line that name the program: a native binary, or a script and what runs it. */
export const programOf = (argv: readonly string[]): string[] =>
  argv.slice(0, basename(argv[0] ?? '') === 'node' ? 2 : 1)

/** The options of a command line, which begins with the program. Other words are prompts. */
const optionsIn = (argv: readonly string[]): Option[] => parsed(argv.slice(programOf(argv).length))

function parsed(words: readonly string[]): Option[] {
  const options: Option[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    if (word === '--') break
    if (!isOption(word)) continue
    const [name = '', ...rest] = word.split('=')
    if (rest.length > 0) {
      options.push({ name, values: [rest.join('=')], words: [word] })
      continue
    }
    const values = valuesAt(words, at + 1, known[name] ?? 'nothing')
    options.push({ name, values, words: [word, ...values] })
    at += values.length
  }
  return options
}

const isOption = (word: string): boolean => /^--?[a-zA-Z]/.test(word)

/** An option that takes one value takes any word. */
function valuesAt(words: readonly string[], from: number, takes: Takes): string[] {
  if (takes === 'nothing') return []
  if (takes === 'one') return words.slice(from, from + 1)
  const rest = words.slice(from)
  const end = rest.findIndex(isOption)
  const values = end < 0 ? rest : rest.slice(0, end)
  const terminator = values.indexOf('--')
  const own = terminator < 0 ? values : values.slice(0, terminator)
  return takes === 'maybe' ? own.slice(0, 1) : own
}
