/**
 * Each expectation of the agent program is proven by a test in this folder or in test/server, on the real
 * program.
 */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { expectations } from '../../agents/claude-code/expectations.js'

/** By expectation: the test file, and words of a title in it. */
const proofs: Readonly<Record<string, readonly [string, string]>> = {
  'paste-envelope': ['adapterText', 'are recognised as the same'],
  'human-origin': ['trickyTexts', 'tricky texts arrive once'],
  'prompt-report': ['adapterReports', 'turn-started'],
  'pasted-block-is-words': ['typing', 'its sender learns of one that does not exist'],
  'blank-before-bang': ['trickyTexts', 'tricky texts arrive once'],
  'unknown-command-row': ['typing', 'its sender learns of one that does not exist'],
  'command-row': ['typing', 'a command of the agent’s own runs as one'],
  'panel-escape': ['typing', 'a command that opens a panel is refused to its sender'],
  'hook-refusal-row': ['typing', 'is typed once, and later texts go on'],
  'stash-key': ['typing', 'is put aside whole while a text is sent'],
  'draft-to-editor': ['typing', 'goes along whole with a move'],
  'draft-scrolls': ['holding', 'a draft that was longer than its box'],
  'draft-behind-history': ['holding', 'one that was behind an earlier prompt'],
  'hook-stop-row': ['typing', 'a turn that a hook on tools stops is over'],
  'queue-rows': ['adapterTui', 'is queued first, and taken at the next pause'],
  'launch-prompt-rewritten': ['typing', 'a first prompt is not repeated at a move'],
  'stop-body': ['background', 'is seen, delays a planned move for a bounded time'],
  'shell-status': ['background', 'is seen, delays a planned move for a bounded time'],
  'task-rows': ['background', 'in a turn that had begun tasks'],
  'cron-restored': ['background', 'comes once, on time, though its process was replaced'],
  'subagent-files': ['background', 'and its subagent goes on'],
  'question-page': ['background', 'is shown with its choices and answered from outside'],
  'start-page-without-state': ['pages', 'if every account opens a page the session waits'],
  'settings-warning-continue': ['pages', 'past a page of settings that were skipped'],
  'imports-answer': ['pages', 'what the person answers there goes along with a move'],
  'mcp-answer-by-settings': ['pages', 'what the person answers there goes along with a move'],
  'doctor-lists-settings': ['../server/doctor', 'names the settings that the installed program cannot use'],
  'reset-text': ['adapterTranscript', 'the reset that a text names'],
}

/** All of them are checked by the rehearsal, which fails for one that it does not check. */
const rehearsed = ['rehearsal', 'every expectation is checked and holds on the pinned version'] as const

it('every expectation has a unique name, and says what happens if it is false', () => {
  expect(new Set(expectations.map(({ name }) => name)).size).toBe(expectations.length)
  for (const { name, statement: holds, consequence: otherwise } of expectations) {
    expect(name).toMatch(/^[a-z]+(?:-[a-z]+)*$/)
    expect(holds).not.toBe('')
    expect(otherwise).not.toBe('')
  }
})

it.each(expectations.map(({ name }) => name))('%s is proven by a test on the real program', (name) => {
  const [file, title] = proofs[name] ?? rehearsed
  expect(readFileSync(new URL(`${file}.test.ts`, import.meta.url), 'utf8')).toContain(title)
})
