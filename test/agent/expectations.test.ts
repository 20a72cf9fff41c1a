/** Each expectation that the adapter has of its program is proven by a test of this folder or of the server's, on the real program. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { expectations } from '../../agents/claude-code/expectations.js'

/** By expectation: the file, and words of a test's title in it. */
const proofs: Readonly<Record<string, readonly [string, string]>> = {
  'paste-envelope': ['adapterText', 'are known for the same'],
  'human-origin': ['trickyTexts', 'texts of the field arrive once'],
  'prompt-report': ['adapterReports', 'turn-started'],
  'pasted-block-is-words': ['typing', 'its sender learns of one that there is not'],
  'blank-before-bang': ['trickyTexts', 'texts of the field arrive once'],
  'unknown-command-row': ['typing', 'its sender learns of one that there is not'],
  'command-row': ['typing', 'a command of the agent’s own runs as one'],
  'panel-escape': ['typing', 'a command that opens a panel is refused to its sender'],
  'hook-refusal-row': ['typing', 'refuses is typed once'],
  'stash-key': ['typing', 'is put aside whole while a text is sent'],
  'draft-to-editor': ['typing', 'goes along whole with a move'],
  'queue-rows': ['adapterTui', 'is queued first, and taken at the next pause'],
  'launch-prompt-rewritten': ['typing', 'a first prompt is not said again at a move'],
  'stop-body': ['background', 'is seen, holds up a planned move for so long'],
  'shell-status': ['background', 'is seen, holds up a planned move for so long'],
  'task-rows': ['background', 'in a turn that had begun tasks'],
  'cron-restored': ['background', 'comes once, in time, though its process was replaced'],
  'subagent-files': ['background', 'and its subagent goes on'],
  'question-page': ['background', 'is shown with its choices and answered from outside'],
  'start-page-without-state': ['pages', 'where every account opens a page the session waits'],
  'settings-warning-continue': ['pages', 'past a page of settings that were skipped'],
  'imports-answer': ['pages', 'what its person answers there goes along with a move'],
  'mcp-answer-by-settings': ['pages', 'what its person answers there goes along with a move'],
  'doctor-lists-settings': ['../server/doctor', 'names the settings that the installed program can not use'],
  'reset-text': ['adapterTranscript', 'the reset that a text names'],
}

it('every expectation has a name of its own, and says what it costs where it is false', () => {
  expect(new Set(expectations.map(({ name }) => name)).size).toBe(expectations.length)
  for (const { name, statement: holds, consequence: otherwise } of expectations) {
    expect(name).toMatch(/^[a-z]+(?:-[a-z]+)*$/)
    expect(holds).not.toBe('')
    expect(otherwise).not.toBe('')
  }
})

it.each(expectations.map(({ name }) => name))('%s is proven by a test on the real program', (name) => {
  const [file, title] = proofs[name] ?? ['', '']
  expect(readFileSync(new URL(`${file}.test.ts`, import.meta.url), 'utf8')).toContain(title)
})
