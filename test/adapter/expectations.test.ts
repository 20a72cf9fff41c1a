/** Each expectation of the agent program is proven by a test, on the real program or on what was recorded of it. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { expectations } from '../../agents/claude-code/expectations.js'

/** By expectation: the test file in test/, and words of a title in it. */
const proofs: Readonly<Record<string, readonly [string, string]>> = {
  'paste-envelope': ['adapter/text', 'are recognised as the same'],
  'human-origin': ['agent/trickyTexts', 'tricky texts arrive once'],
  'prompt-report': ['adapter/reports', 'turn-started'],
  'pasted-block-is-words': ['agent/typing', 'its sender learns of one that does not exist'],
  'blank-before-bang': ['agent/trickyTexts', 'tricky texts arrive once'],
  'unknown-command-row': ['agent/typing', 'its sender learns of one that does not exist'],
  'command-row': ['agent/typing', 'a command of the agent’s own runs as one'],
  'panel-escape': ['agent/typing', 'a command that opens a panel is refused to its sender'],
  'hook-refusal-row': ['agent/typing', 'is typed once, and later texts go on'],
  'stash-key': ['agent/typing', 'is put aside whole while a text is sent'],
  'draft-to-editor': ['agent/typing', 'goes along whole with a move'],
  'draft-scrolls': ['agent/holding', 'a draft that was longer than its box'],
  'draft-behind-history': ['agent/holding', 'one that was behind an earlier prompt'],
  'hook-stop-row': ['agent/typing', 'a turn that a hook on tools stops is over'],
  'queue-rows': ['agent/adapterTui', 'is queued first, and taken at the next pause'],
  'launch-prompt-rewritten': ['agent/typing', 'a first prompt is not repeated at a move'],
  'stop-body': ['agent/background', 'is seen, delays a planned move for a bounded time'],
  'shell-status': ['agent/background', 'is seen, delays a planned move for a bounded time'],
  'task-rows': ['agent/background', 'in a turn that had begun tasks'],
  'cron-restored': ['agent/background', 'comes once, on time, though its process was replaced'],
  'subagent-files': ['agent/background', 'and its subagent goes on'],
  'question-page': ['agent/background', 'is shown with its choices and answered from outside'],
  'start-page-without-state': ['agent/pages', 'if every account opens a page the session waits'],
  'settings-warning-continue': ['agent/pages', 'past a page of settings that were skipped'],
  'imports-answer': ['agent/pages', 'what the person answers there goes along with a move'],
  'mcp-answer-by-settings': ['agent/pages', 'what the person answers there goes along with a move'],
  'doctor-lists-settings': [
    'server/doctor-configuration',
    'names the settings that the installed program cannot use',
  ],
  'reset-text': ['adapter/walls', 'the reset that a text names'],
}

/** All of them are checked by the rehearsal, which fails for one that it does not check. */
const rehearsed = ['agent/rehearsal', 'every expectation is checked and holds on the pinned version'] as const

it('every expectation has a unique name, and says what happens if it is false', () => {
  expect(new Set(expectations.map(({ name }) => name)).size).toBe(expectations.length)
  for (const { name, statement: holds, consequence: otherwise } of expectations) {
    expect(name).toMatch(/^[a-z]+(?:-[a-z]+)*$/)
    expect(holds).not.toBe('')
    expect(otherwise).not.toBe('')
  }
})

it.each(expectations.map(({ name }) => name))('%s is proven by a test', (name) => {
  const [file, title] = proofs[name] ?? rehearsed
  expect(readFileSync(new URL(`../${file}.test.ts`, import.meta.url), 'utf8')).toContain(title)
})
