/**
 * Texts as people send them: long, with many lines, in other languages, with invisible characters, and with
 * beginnings that mean something to the program.
 */
import fc from 'fast-check'

const scripts = [
  'the build is red again, look at the second job',
  'bitte prüfe die Übersetzung für das Größenverhältnis',
  '请检查第二个任务的日志并修复',
  'ログを確認して、修正してください',
  'проверь журнал и исправь ошибку',
  'تحقق من السجل وأصلح الخطأ',
  'בדוק את היומן ותקן',
  'लॉग जाँचें और त्रुटि ठीक करें',
  'look 👩‍👩‍👧 at 🇩🇪 this 🏳️‍🌈 please',
  'cafe\u0301 nai\u0308ve re\u0301sume\u0301',
  'const a = b ? [1, 2] : { c: "d" } // $HOME `x` #{y} \\n',
  '| col | col |\t| a | b |',
  '<div class="x">&amp; <b>bold</b></div>',
]
const beginnings = [
  '',
  '',
  '',
  '!',
  '/',
  '/compact ',
  '#',
  '@file.txt ',
  '-- ',
  '- ',
  '> ',
  '\\',
  '  ',
  '\t',
  '?',
  '&',
]
const endings = ['', '', '', '\\', ' \\', '!', '?', '\n', '\n\n', '   ']
const inside = [
  '',
  '',
  '',
  '\u200b',
  '\u202e',
  '\ufeff',
  '\u0007',
  '\u001b[31m',
  '\u001b[201~',
  '\r\n',
  '\u00a0',
  '\u2028',
]

const word = fc.constantFrom(...scripts)
const line = fc
  .tuple(word, fc.constantFrom(...inside), word)
  .map(([before, odd, after]) => `${before}${odd}${after}`)
const lines = fc.oneof(
  { weight: 4, arbitrary: fc.array(line, { minLength: 1, maxLength: 3 }) },
  { weight: 3, arbitrary: fc.array(line, { minLength: 4, maxLength: 30 }) },
  { weight: 1, arbitrary: line.map((one) => [one.repeat(40)]) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(['exit'], ['quit'], [':q'], ['y'], ['1'], ['continue'], ['\\'], ['!']),
  },
)

/** `n` keeps texts apart that would otherwise be the same. */
export function trickyTexts(seed: number, count: number): string[] {
  const arbitrary = fc
    .tuple(
      fc.constantFrom(...beginnings),
      lines,
      fc.constantFrom('\n', '\n', '\n\n'),
      fc.constantFrom(...endings),
    )
    .map(([before, all, between, after]) => `${before}${all.join(between)}${after}`)
  return fc.sample(arbitrary, { seed, numRuns: count })
}
