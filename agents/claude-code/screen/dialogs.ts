/** Recognises dialogs on the screen that block a session. Most are prevented; these may come nevertheless. */
import type { Dialog } from '../../adapter/dialogs.js'
import { readQuestion } from './questions.js'
import { resolveRealPath } from '../paths.js'
import { inputBox, isRule, plainLines } from './screen.js'

interface KnownDialog {
  name: string
  /** All of them have to be on the screen, below the conversation. */
  marks: readonly RegExp[]
  prompt: string
  safeKeys: readonly string[] | null
}

/**
 * A person has to answer what concerns money, a login or permissions. The others have one answer that decides nothing: `Escape`
 * closes the limit menu, and the user trusted the session's own folder by naming it in `outpool start`.
 */
const knownDialogs: readonly KnownDialog[] = [
  {
    name: 'limit-menu',
    marks: [/^\s*What do you want to do\?$/, /^\s*(?:❯ )?\d\. Stop and wait for limit to reset/],
    prompt: 'what to do until the usage limit resets',
    safeKeys: ['Escape'],
  },
  {
    name: 'trust',
    marks: [
      /Is this a project you created or one you trust\?|Do you trust the files in this folder\?/,
      /Yes, I trust this folder|Yes, proceed/,
    ],
    prompt: 'whether the folder is trusted',
    safeKeys: [],
  },
  {
    name: 'bypass-permissions',
    marks: [/Bypass Permissions mode$/, /Yes, I accept/],
    prompt: 'whether to accept the risks of running without permission checks',
    safeKeys: null,
  },
  {
    name: 'api-key',
    marks: [/Do you want to use this API key\?/],
    prompt: 'whether to use the API key that it found in its environment',
    safeKeys: null,
  },
  {
    name: 'theme',
    marks: [/Choose the text style that looks best with your terminal/],
    prompt: 'which colours to use (first run)',
    safeKeys: ['Enter'],
  },
  {
    name: 'security-notes',
    marks: [/^\s*Security notes:$/, /Press Enter to continue/],
    prompt: 'to read its security notes (first run)',
    safeKeys: ['Enter'],
  },
  {
    name: 'login-method',
    marks: [/Select login method:/],
    prompt: 'how to log in',
    safeKeys: null,
  },
  {
    name: 'login-code',
    marks: [/Paste code here if prompted/],
    prompt: 'for the code of a login that was begun',
    safeKeys: null,
  },
  {
    name: 'resume-choice',
    marks: [/Resume from summary/, /Resume (?:the )?full session(?: as is)?/i],
    prompt: 'whether to resume the full session or a summary of it',
    safeKeys: [],
  },
  {
    name: 'auto-mode-unavailable',
    marks: [/Auto mode can(?:'|’)t check actions in this session/],
    prompt: 'how to go on, since auto mode can not check actions here',
    safeKeys: null,
  },
  {
    // The listed settings were skipped already, and the rest of the file is in effect, so continuing decides nothing.
    name: 'settings-warning',
    marks: [/^\s*Settings Warning$/, /^\s*(?:❯ )?(?:\d\. )?Continue$/],
    prompt: 'to read which of its settings it skipped',
    safeKeys: [],
  },
  {
    // Continuing would ignore the whole file, including rules that a person has set in it.
    name: 'settings-error',
    marks: [/^\s*Settings Error$/, /Continue without these settings$/],
    prompt: 'what to do about a settings file that it can not use',
    safeKeys: null,
  },
  {
    name: 'external-imports',
    marks: [/^\s*Allow external CLAUDE\.md file imports\?$/, /Yes, allow external imports$/],
    prompt: "whether the project's CLAUDE.md may import files from outside",
    safeKeys: null,
  },
  {
    name: 'mcp-servers',
    marks: [/^\s*(?:New MCP server found|\d+ new MCP servers found) in this project/],
    prompt: "which of the project's MCP servers (.mcp.json) to use",
    safeKeys: null,
  },
  {
    name: 'no-connection',
    marks: [/Unable to connect to Anthropic services/],
    prompt: 'nothing: it could not reach its services and ended',
    safeKeys: null,
  },
]

/** Safe answers that have to be found in the list, because their position differs between versions. */
const safeChoices: Readonly<Record<string, RegExp>> = {
  trust: /^(?:\d\. )?Yes, (?:I trust this folder|proceed)/,
  'settings-warning': /^(?:\d\. )?Continue$/,
  'resume-choice': /^(?:\d\. )?Resume (?:the )?full session/i,
}

const permissionMark = /^\s*Do you want to (?:proceed|make this edit|create|allow|overwrite)\b.*\?/
const footers =
  /^(?:\s*Enter to (?:confirm|select|set as default)\b.*|.*\bEsc to (?:cancel|exit|reject all)\b.*)$/

/** Takes a capture of the visible screen, with or without colours. Null if the agent works or waits for a prompt. */
export function readDialog(screen: string, cwd?: string): Dialog | null {
  const whole = plainLines(screen)
  const lines = liveLines(whole)
  if (lines === null) return null
  const question = readQuestion(whole)
  for (const one of knownDialogs) {
    if (!one.marks.every((mark) => lines.some((line) => mark.test(line)))) continue
    const keys = one.name === 'trust' && !asksAbout(lines, cwd) ? null : safeKeys(one, lines)
    return { name: one.name, prompt: one.prompt, safeKeys: keys, question: keys === null ? question : null }
  }
  const asked = lines.find((line) => permissionMark.test(line))
  if (asked !== undefined) return { name: 'permission', prompt: asked.trim(), safeKeys: null, question }
  // Such a page has another rule above its last choice, so it is recognised by its question.
  if (question?.isOfTool) return { name: 'question', prompt: question.text, safeKeys: null, question }
  if (!lines.some((line) => footers.test(line))) return null
  const [title] = lines.map((line) => line.trim()).filter((line) => line !== '')
  return { name: 'dialog', prompt: title ?? 'a choice', safeKeys: null, question }
}

/** Whether the dialog names this folder, or the real path of it. The path may be wrapped. */
function asksAbout(lines: readonly string[], cwd: string | undefined): boolean {
  if (cwd === undefined) return false
  const from = lines.findIndex((line) => /^\s*\//.test(line))
  if (from < 0) return false
  const shown = lines.slice(from)
  const end = shown.findIndex((line) => line.trim() === '')
  const words = shown.slice(0, end < 0 ? shown.length : end).map((line) => line.trim())
  // A path that is wrapped at a space loses it, so spaces don't count then.
  const isSame = (path: string): boolean =>
    words.length === 1 ? words[0] === path : words.join('').replaceAll(' ', '') === path.replaceAll(' ', '')
  return [cwd, resolveRealPath(cwd)].some(isSame)
}

/** A panel that a command opens is drawn below a line of this kind, which no permission prompt and no question has. */
const panelRule = /^▔{10,}/

/** Whether a panel such as that of `/status` or `/model` has replaced the input line. Its end may be cut by a low screen. */
export function showsPanel(screen: string): boolean {
  const lines = plainLines(screen)
  const top = lines.findLast(isRule)
  if (inputBox(lines) !== null || top === undefined || !panelRule.test(top)) return false
  const dialog = readDialog(screen)
  return dialog === null || dialog.name === 'dialog'
}

/** A panel in which a search is open takes one more. */
export const closePanelKeys = ['Escape'] as const

/**
 * The part of the screen below the last rule, or the whole screen if there is none. Null if the input box is at the bottom: then
 * no dialog is open, even if the conversation above quotes one.
 */
function liveLines(lines: string[]): string[] | null {
  return inputBox(lines) === null ? lines.slice(lines.findLastIndex(isRule) + 1) : null
}

/**
 * Only the next key: towards the safe choice, or `Enter` once the cursor is on it. A new dialog may not accept keys yet: of two
 * keys at once it could miss the first and apply the second to the wrong choice.
 */
function safeKeys(one: KnownDialog, lines: string[]): string[] | null {
  const wanted = safeChoices[one.name]
  if (wanted === undefined) return one.safeKeys === null ? null : [...one.safeKeys]
  const choices = lines.map((line) => {
    const [, cursor, text] = /^\s*(?:(❯)\s*)?((?:\d\. )?\S.*)$/.exec(line) ?? []
    return { chosen: cursor !== undefined, text: text ?? '' }
  })
  const from = choices.findIndex(({ chosen }) => chosen)
  const to = choices.findIndex(({ text }) => wanted.test(text))
  if (from < 0 || to < 0) return null
  if (from === to) return ['Enter']
  // Prefers a key that is harmless when pressed twice: a busy program redraws late, and an arrow wraps around at the end.
  const isEnd = (beyond: number): boolean => (choices[beyond]?.text ?? '') === ''
  if (to < from) return [isEnd(to - 1) ? 'Home' : 'Up']
  return [isEnd(to + 1) ? 'End' : 'Down']
}
