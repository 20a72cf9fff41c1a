/** Questions with numbered choices: from the AskUserQuestion tool, permissions and other pages. */
import { type Choice, parseChoiceNumbers, type Question } from '../../../policy/session/question.js'
import type { AnswerStep } from '../../adapter/dialogs.js'
import { inputBox, isRule } from './screen.js'

const choicePattern = /^\s*(?:(❯)\s*)?(\d{1,2})\. (?:\[(.)\] ?)?(.*)$/
/** The names of questions that are asked together, each marked as answered or not; the last one is the review page. */
const tabsPattern = /^(?:←\s)?\s*[☐☒✔] \S.*$/
const footerPattern = /\bEsc to (?:cancel|exit)\b|^\s*Enter to \w+/
/** The line that submits ticked choices. */
const submitPattern = /^\s*(?:❯\s*)?Submit$/
/** A picture of a choice, beside the list. */
const besideList = /(?<!\s)\s{2,}[┌│└].*$/
/** Marks each line of a long question. */
const quoteBar = /^\s*[│|]\s?/
const promptMaxLength = 300
const labelMaxLength = 200

interface Numbered {
  line: number
  choice: Choice
}

/** Null if there is no question, or if the page is higher than the screen. */
export function readQuestion(lines: readonly string[]): Question | null {
  if (inputBox(lines) !== null) return null
  const numbered = lastList(lines)
  const first = numbered[0]?.line
  if (first === undefined) return null
  const rules = lines.flatMap((line, i) => (isRule(line) ? [i] : []))
  const top = rules.findLast((i) => i < first) ?? -1
  const bottom = rules.find((i) => i > first) ?? lines.length
  const body = lines.slice(top + 1, first).filter((line) => line.trim() !== '')
  const tabs = tabsPattern.test(body[0] ?? '') ? (body.shift() ?? '').trim() : null
  const hasPictures = lines.slice(first, bottom).some((line) => besideList.test(line))
  const own = tabs !== null && !hasPictures && bottom < lines.length ? lastBefore(numbered, bottom) : null
  const isReview = tabs !== null && /^Submit answers$/.test(numbered[0]?.choice.label ?? '')
  const choices = numbered.map(({ choice }): Choice => ({ ...choice, isFreeText: choice.n === own }))
  const said = body.map((line) => line.replace(quoteBar, '').trim())
  const asked = tabs === null ? (said.findLast((line) => line.endsWith('?')) ?? said[0]) : said.join(' ')
  const labels = choices.map(({ n, label, isFreeText }) => (isFreeText ? `${n}` : `${n} ${label}`))
  const mark = JSON.stringify([tabs?.replaceAll(/[☐☒✔]/g, ''), said, labels])
  return {
    text: (asked ?? 'a choice').slice(0, promptMaxLength),
    choices,
    mark,
    isOfTool: tabs !== null,
    isReview,
    isAllAnswered: !(tabs ?? '☐').includes('☐'),
  }
}

const lastBefore = (numbered: readonly Numbered[], end: number): number | null =>
  numbered.findLast(({ line }) => line < end)?.choice.n ?? null

/** The last run of lines numbered 1, 2, …; text above may contain lists too. */
function lastList(lines: readonly string[]): Numbered[] {
  let hasSecond = false
  for (let from = lines.length - 1; from >= 0; from--) {
    const n = choicePattern.exec(lines[from] ?? '')?.[2]
    if (n === '1' && hasSecond) return listFrom(lines, from)
    hasSecond ||= Number(n) === 2
  }
  return []
}

function listFrom(lines: readonly string[], from: number): Numbered[] {
  const list: Numbered[] = []
  for (let line = from; line < lines.length; line++) {
    const text = lines[line] ?? ''
    const [, cursor, n, tick, label = ''] = choicePattern.exec(text) ?? []
    const last = list.at(-1)
    if (n !== undefined && Number(n) === list.length + 1) {
      const isChecked = tick === undefined ? null : tick !== ' '
      const shown = label.replace(besideList, '').trim().slice(0, labelMaxLength)
      const isHighlighted = cursor !== undefined
      const choice = {
        n: Number(n),
        label: shown,
        description: null,
        isFreeText: false,
        isChecked,
        isHighlighted,
      }
      list.push({ line, choice })
    } else if (isRule(text) || footerPattern.test(text)) {
      continue
    } else if (last && text.trim() !== '' && !besideList.test(text) && !submitPattern.test(text)) {
      last.choice.description = `${last.choice.description ?? ''} ${text.trim()}`
        .trim()
        .slice(0, labelMaxLength)
    }
  }
  return list
}

/**
 * One key at a time: on some pages a number moves the cursor, on others it chooses. The effect has to be seen before the next key.
 */
export function nextAnswerStep({ choices, isReview }: Question, answer: string, pasted: boolean): AnswerStep {
  const most = choices.length
  // The line for a text is labelled with what was typed into it.
  const byLabel = choices.find(
    ({ label, isFreeText }) => !isFreeText && label.toLowerCase() === answer.trim().toLowerCase(),
  )
  const wanted = parseChoiceNumbers(answer) ?? (byLabel ? [byLabel.n] : null)
  const own = choices.find(({ isFreeText }) => isFreeText)
  if (wanted === null) {
    if (own === undefined || isReview)
      return { kind: 'refused', why: `it takes a choice by number, 1 to ${most}` }
    return own.isChecked === null
      ? nextTextStep(own, answer, pasted)
      : nextTickedTextStep(choices, own, answer, pasted)
  }
  const picked = choices.filter(({ n }) => wanted.includes(n))
  const [only] = picked
  if (only === undefined || picked.length < wanted.length)
    return { kind: 'refused', why: `it has the choices 1 to ${most}` }
  if (picked.some(({ isFreeText }) => isFreeText))
    return { kind: 'refused', why: `choice ${own?.n ?? ''} takes a text: answer with the text itself` }
  // A number would be typed into the text field.
  if (own?.isHighlighted) return { kind: 'press', keys: ['Up'] }
  if (picked.every(({ isChecked }) => isChecked !== null)) {
    const wrong = choices.find(({ n, isChecked }) => isChecked !== null && isChecked !== wanted.includes(n))
    return { kind: 'press', keys: [wrong ? String(wrong.n) : 'Tab'] }
  }
  if (picked.length > 1) return { kind: 'refused', why: 'it takes only one choice' }
  return { kind: 'press', keys: [only.isHighlighted ? 'Enter' : String(only.n)] }
}

function nextTextStep(own: Choice, answer: string, pasted: boolean): AnswerStep {
  if (!own.isHighlighted) return { kind: 'press', keys: [String(own.n)] }
  return pasted ? { kind: 'press', keys: ['Enter'] } : { kind: 'paste', text: answer }
}

/**
 * The same where several choices may be ticked: the text is to be the only one. A number ticks its choice without moving the cursor,
 * a text that is typed ticks its own, and Tab leads from there to the line that submits.
 */
function nextTickedTextStep(
  choices: readonly Choice[],
  own: Choice,
  answer: string,
  pasted: boolean,
): AnswerStep {
  const press = (key: string): AnswerStep => ({ kind: 'press', keys: [key] })
  if (pasted) return press(own.isHighlighted ? 'Tab' : 'Enter')
  const ticked = choices.find(({ isChecked, isFreeText }) => isChecked === true && !isFreeText)
  // There a number would be typed into the text.
  if (own.isHighlighted) return ticked === undefined ? { kind: 'paste', text: answer } : press('Up')
  if (ticked !== undefined) return press(String(ticked.n))
  const cursor = choices.find(({ isHighlighted }) => isHighlighted)
  return press(cursor !== undefined && cursor.n < own.n ? 'Down' : 'Up')
}
