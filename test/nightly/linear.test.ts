/**
 * Law 15: what reads texts of others takes time in proportion to their length. A text that is four times as long may take four times as
 * long; a function that is quadratic takes sixteen times. Times are compared with each other on this machine, and never with a clock.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseReport } from '../../agents/claude-code/reports.js'
import { usageTextWindows } from '../../agents/claude-code/limits/quota.js'
import { parseReset } from '../../agents/claude-code/limits/resetText.js'
import { readDialog, showsPanel } from '../../agents/claude-code/screen/dialogs.js'
import { hasStashedDraft, readDraft } from '../../agents/claude-code/screen/draft.js'
import { readQuestion } from '../../agents/claude-code/screen/questions.js'
import { plainLines } from '../../agents/claude-code/screen/screen.js'
import {
  fingerprint,
  isDraftOf,
  toCommandPaste,
  toWordsPaste,
  unwrapPaste,
} from '../../agents/claude-code/screen/text.js'
import { parseEntry } from '../../agents/claude-code/transcript/entries.js'
import { frameMail } from '../../activities/tasks/frameMail.js'
import { columnsOf, fit, oneLine } from '../../client/output/terminal.js'
import { ConfigError } from '../../config/errors.js'
import { parseConfig } from '../../config/load/load.js'
import { withoutSecrets } from '../../config/secrets/known.js'
import { printable, printableInColor, printableJson } from '../../policy/printable.js'
import { cleanMail } from '../../policy/tasks/mail.js'

const esc = '\u001b'
/** Repeated, each is the beginning of something that never ends, or the same decision again and again. */
const pieces: Record<string, string> = {
  ...{
    letters: 'a',
    spaces: ' ',
    'blank lines': '\n',
    tabs: '\t',
    returns: '\r',
    wide: '漢',
    emoji: '😀',
    joined: '👩‍👩‍👧',
  },
  ...{
    combining: '\u0301',
    hidden: '\u200b',
    surrogates: '\ud800',
    reversed: '\u202e',
    dashes: '─',
    quotes: '"',
    braces: '{',
  },
  ...{
    'escape characters': esc,
    'open strings': `${esc}]`,
    'C1 strings': '\u009d',
    'C1 sequences': '\u009b1',
    colours: `${esc}[2m`,
  },
  ...{
    links: `${esc}]8;;x`,
    prompts: '❯ 1. a\n',
    rules: `${'─'.repeat(12)}\n❯ a\n`,
    tags: '<pasted_content id="',
    closing: '\n</pasted_content id="',
  },
  ...{
    'blank paste': '\n\n<',
    'pasted text': '[Pasted text #1 ',
    resets: 'resets 3',
    'percent used': '1% used · ',
    truncated: '[...Truncated text #1',
    numbers: '1',
    separators: '\u2028',
  },
}

const cwd = join(tmpdir(), 'project')
const mail = (text: string) => ({
  ...{ id: 'x', messageId: text, from: [text], to: [text], subject: text, date: null, text, cut: false },
  attachments: [{ name: text, type: text, bytes: 1 }],
})
const configure = (text: string): void => {
  try {
    parseConfig(text, join(tmpdir(), 'outpool.yaml'), {})
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
  }
}

const functions: Record<string, (text: string) => unknown> = {
  ...{ printable, printableInColor, printableJson, oneLine, columnsOf, withoutSecrets },
  fit: (text) => fit(text, 40),
  plainLines,
  readDialog: (text) => [readDialog(text, cwd), showsPanel(text)],
  readDraft: (text) => [readDraft(text), hasStashedDraft(text)],
  readQuestion: (text) => readQuestion(text.split('\n')),
  pastes: (text) => [toWordsPaste(text), toCommandPaste(text), unwrapPaste(text)],
  drafts: (text) => [fingerprint(text), isDraftOf('a', text), isDraftOf(text, text)],
  limits: (text) => [
    usageTextWindows(text, '2026-11-30T00:00:00.000Z'),
    parseReset(text, '2026-11-30T00:00:00.000Z'),
  ],
  report: (text) => [
    parseReport(text, text, '2026-11-30T00:00:00.000Z'),
    parseReport('a.1.Notification.1-1', JSON.stringify({ message: text }), '2026-11-30T00:00:00.000Z'),
  ],
  entry: (text) => [
    parseEntry(text),
    parseEntry(JSON.stringify({ type: 'user', message: { content: text } })),
  ],
  mail: (text) => frameMail(cleanMail(mail(text), 100_000), 'inbox', '0123456789abcdef'),
  'configuration text': (text) => configure(text),
  'configuration value': (text) => configure(JSON.stringify({ pool: { name: text } })),
}

/** Milliseconds, the better of two: what else the machine does only adds to it. */
function timeOf(run: (text: string) => unknown, text: string): number {
  const times = [1, 2].map(() => {
    const from = performance.now()
    run(text)
    return performance.now() - from
  })
  return Math.min(...times)
}

/** Below this a time says nothing. Milliseconds. */
const measurable = 3
const factor = 4
/** Four for linear time, and some for caches and collections of garbage; sixteen for quadratic time. */
const mostRatio = 10
/** So fast at this length that nothing of it can be quadratic. Characters. */
const longest = 500_000

/** How much longer the text that is four times as long takes, at a length at which that can be measured. */
function ratioOf(run: (text: string) => unknown, textOf: (length: number) => string): number {
  for (let length = 2_000; length < longest; length *= factor) {
    const time = timeOf(run, textOf(length))
    if (time >= measurable) return timeOf(run, textOf(length * factor)) / time
  }
  return 0
}

/** A pause of the machine may fall into one measurement, and hardly into four. */
function isLinear(run: (text: string) => unknown, textOf: (length: number) => string): boolean {
  return Array.from({ length: 4 }).some(() => ratioOf(run, textOf) < mostRatio)
}

it.each(Object.entries(functions))('law 15: %s takes linear time, whatever is repeated', (_name, run) => {
  const slow = Object.entries(pieces).filter(
    ([, piece]) => !isLinear(run, (length) => piece.repeat(Math.ceil(length / piece.length))),
  )
  expect(slow.map(([what]) => what)).toEqual([])
})

const section = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`key${n}`, n]))

it.each<[string, (count: number) => unknown]>([
  ['unknown keys', section],
  ['unknown keys of an account', (count) => ({ pool: { accounts: [section(count)] } })],
  [
    'wrong accounts',
    (count) => ({ pool: { accounts: Array.from({ length: count }, () => ({ name: 'A b' })) } }),
  ],
])('law 15: a configuration takes linear time for thousands of %s', (_what, valueOf) => {
  expect(isLinear(configure, (length) => JSON.stringify(valueOf(length / 20), null, 1))).toBe(true)
})
