/** What the agent asks its user, on screens captured from the real program (2.1.330) with `tmux capture-pane -pe`. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'
import { plainLines } from '../../agents/claude-code/screen/screen.js'
import type { Question } from '../../policy/session/question.js'

const coloured = (name: string): string =>
  readFileSync(new URL(`screens/${name}.ansi`, import.meta.url), 'utf8')
const plain = (name: string): string => plainLines(coloured(name)).join('\n')

function question(screen: string): Question {
  const found = claudeCode.readDialog(screen)?.question
  if (!found) throw new Error('no question was read')
  return found
}
const labels = ({ choices }: Question): string[] => choices.map(({ n, label }) => `${n} ${label}`)
const step = (name: string, answer: string, pasted = false) =>
  claudeCode.nextAnswerStep(question(plain(name)), answer, pasted)

describe.each([
  ['with colours', coloured],
  ['without colours', plain],
])('a question captured %s', (_, screen) => {
  it('is read whole with its choices, including the one below a separate rule', () => {
    const parsed = question(screen('question'))
    expect(claudeCode.readDialog(screen('question'))).toMatchObject({
      name: 'question',
      prompt: 'Which colour shall the button have?',
      safeKeys: null,
    })
    expect(labels(parsed)).toEqual(['1 Red', '2 Green', '3 Blue', '4 Type something.', '5 Chat about this'])
    expect(parsed.choices.map(({ description }) => description)).toEqual(['Loud', 'Calm', 'Cold', null, null])
    expect(parsed.choices.filter(({ isFreeText }) => isFreeText).map(({ n }) => n)).toEqual([4])
    expect(parsed.choices.filter(({ isHighlighted }) => isHighlighted).map(({ n }) => n)).toEqual([1])
  })

  it('is one line, however many the screen needs', () => {
    const { text, choices } = question(screen('question-two'))
    expect(text).toMatch(/^Which colour shall the button have\? It is the one .* has not decided\.$/)
    expect(choices[0]?.description).toMatch(/^Loud, and it looks .* confusing to people$/)
  })

  it('shows what is ticked if several may be chosen', () => {
    const { text, choices } = question(screen('question-several'))
    expect(text).toBe('Which features?')
    expect(choices.map(({ label, isChecked }) => [label, isChecked])).toEqual([
      ['Login', true],
      ['Search', false],
      ['Export', true],
      ['Type something', false],
      ['Chat about this', null],
    ])
  })

  it('recognises the page that submits the answers, and choices beside a picture', () => {
    expect(question(screen('question-review'))).toMatchObject({ isReview: true, isAllAnswered: true })
    expect(labels(question(screen('question-pictures')))).toEqual(['1 Left', '2 Right'])
  })

  it('a permission has its choices too', () => {
    const { text, choices } = question(screen('permission-choices'))
    expect(text).toBe('Do you want to proceed?')
    expect(choices).toHaveLength(4)
    expect(choices[3]?.label).toBe('No')
  })
})

it('the same question has one mark wherever its cursor and its ticks are, and another question a different one', () => {
  expect(question(plain('question-words')).mark).toBe(question(plain('question')).mark)
  const marks = ['question', 'question-two', 'question-several', 'permission-choices'].map(
    (name) => question(plain(name)).mark,
  )
  expect(new Set(marks).size).toBe(4)
  const other = plain('permission-choices').replaceAll('touch /tmp/made/foo &&', 'touch /tmp/made/bar &&')
  expect(question(other).mark).not.toBe(question(plain('permission-choices')).mark)
})

it('law 6: an agent at rest with a shell in the background asks nothing', () => {
  expect(claudeCode.readDialog(coloured('idle-shell'))).toBeNull()
})

describe('answering', () => {
  it.each([
    ['question', '2', false, { kind: 'press', keys: ['2'] }],
    ['question', '1', false, { kind: 'press', keys: ['Enter'] }],
    ['question', ' green ', false, { kind: 'press', keys: ['2'] }],
    ['question', 'mauve', false, { kind: 'press', keys: ['4'] }],
    ['question-words', 'mauve', false, { kind: 'paste', text: 'mauve' }],
    ['question-words', 'mauve', true, { kind: 'press', keys: ['Enter'] }],
    // There the number would become part of the text.
    ['question-words', '2', false, { kind: 'press', keys: ['Up'] }],
    ['question-several', '1,3', false, { kind: 'press', keys: ['Tab'] }],
    ['question-several', '2, 3', false, { kind: 'press', keys: ['1'] }],
    // A choice that is ticked already would be part of the answer.
    ['question-several', 'white', false, { kind: 'press', keys: ['1'] }],
    ['question-pictures', '2', false, { kind: 'press', keys: ['2'] }],
    ['permission-choices', '4', false, { kind: 'press', keys: ['4'] }],
  ])(
    '%s with %j: each key is sent after the one before it has taken effect',
    (name, answer, pasted, expected) => {
      expect(step(name, answer, pasted)).toEqual(expected)
    },
  )

  it('a text where several may be ticked: goes to the line for it, types there, and then to the line that submits', () => {
    const unticked = plain('question-several').replaceAll('[✔]', '[ ]')
    const cursorOn = (n: number): string => unticked.replace('❯ 1.', '  1.').replace(`  ${n}.`, `❯ ${n}.`)
    const next = (screen: string, pasted = false) =>
      claudeCode.nextAnswerStep(question(screen), 'white', pasted)
    expect(next(unticked)).toEqual({ kind: 'press', keys: ['Down'] })
    expect(next(cursorOn(5))).toEqual({ kind: 'press', keys: ['Up'] })
    expect(next(cursorOn(4))).toEqual({ kind: 'paste', text: 'white' })
    const typed = cursorOn(4).replace('[ ] Type something', '[✔] white')
    expect(next(typed, true)).toEqual({ kind: 'press', keys: ['Tab'] })
    const onSubmit = typed.replace('❯ 4.', '  4.').replace('     Submit', '❯    Submit')
    expect(next(onSubmit, true)).toEqual({ kind: 'press', keys: ['Enter'] })
    // Numbers mean exactly these choices.
    expect(claudeCode.nextAnswerStep(question(onSubmit), '2', false)).toEqual({ kind: 'press', keys: ['2'] })
    const both = onSubmit.replace('2. [ ]', '2. [✔]')
    expect(claudeCode.nextAnswerStep(question(both), '2', false)).toEqual({ kind: 'press', keys: ['4'] })
  })

  it('a text that is typed already is not taken for the name of a choice', () => {
    const typed = plain('question-words').replace('Type something.', 'mauve')
    expect(claudeCode.nextAnswerStep(question(typed), 'mauve', true)).toEqual({
      kind: 'press',
      keys: ['Enter'],
    })
  })

  it.each([
    ['question', '6', /1 to 5/],
    ['question', '1,2', /only one choice/],
    ['question', '4', /takes a text/],
    ['permission-choices', 'yes please', /by number, 1 to 4/],
    ['question-pictures', 'the middle', /by number/],
  ])('%s does not accept %j', (name, answer, why) => {
    const refused = step(name, answer)
    expect(refused).toMatchObject({ kind: 'refused' })
    expect('why' in refused ? refused.why : '').toMatch(why)
  })
})
