/** What the real program (2.1.330) writes for a typed text, and that both are recognised as the same. */
import { describe, expect, it } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'

/** What was typed, and what was then in the transcript: observed on the real program. */
const written: [string, string, string][] = [
  [
    'a paste of five lines',
    'one\ntwo\nthree\nfour\nfive',
    '\n\n<pasted_content id="7f8d">\none\ntwo\nthree\nfour\nfive\n</pasted_content id="7f8d">\n',
  ],
  ['tabs', 'Column one\tcolumn two', 'Column one    column two'],
  ['letters in two parts', 'cafe\u0301', 'café'],
  ['letters that can’t be seen', 'zero\u200bwidth \u202e dir', 'zerowidth  dir'],
  ['a backslash at the end', 'The folder is C:\\work\\', 'The folder is C:\\work'],
  ['an envelope that a person typed', '<pasted_content id="1">\nx', '<\\pasted_content id="1">\nx'],
]

describe('a text and what the program writes of it', () => {
  it.each(written)('law 13: %s are recognised as the same', (_, typed, said) => {
    expect(claudeCode.fingerprint(said)).toBe(claudeCode.fingerprint(typed))
  })

  it('law 13: different words are a different text', () => {
    const texts = ['yes', 'no', 'yes!', 'yes, delete it', 'YES', 'délete', 'delete']
    expect(new Set(texts.map((text) => claudeCode.fingerprint(text))).size).toBe(texts.length)
  })

  it('law 15: no control character reaches the pane, except newline and tab', () => {
    const pasted = claudeCode.toPaste('a\u001b[201~b\u0007\u0000c\rd\r\ne\tf\u009b31mg', 'words')
    expect(pasted).toMatch(/^[^\p{Cc}]*(?:[\n\t][^\p{Cc}]*)*$/u)
    expect(pasted).toContain('d\ne\tf')
  })

  it.each([
    ['/compact please', '/compact please\n\n\n\n'],
    ['exit', 'exit\n\n\n\n'],
    ['!rm -r build', ' !rm -r build'],
    ['C:\\work\\', 'C:\\work\\ '],
    ['exit the loop early', 'exit the loop early'],
  ])('%j stays plain text', (text, pasted) => {
    expect(claudeCode.toPaste(text, 'words')).toBe(pasted)
  })

  it('a command stays one', () => {
    expect(claudeCode.toPaste(' /compact\tkeep the plan \n', 'command')).toBe('/compact keep the plan')
  })

  it('law 5: a draft is only taken for a text of ours if it can be one', () => {
    expect(claudeCode.isDraftOf('[Pasted text #1 +4 lines]', 'one\ntwo\nthree\nfour\nfive')).toBe(true)
    expect(
      claudeCode.isDraftOf(
        'a long text that the\nline has folded',
        'a long text that the line has folded, and more',
      ),
    ).toBe(true)
    expect(claudeCode.isDraftOf('a thought of mine', 'another text')).toBe(false)
  })
})
