import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable, printableInColor, printableJson } from '../../policy/printable.js'
import { cleanMail } from '../../policy/tasks/mail.js'

const esc = '\u001b'
const attacks = [
  `${esc}[2J`,
  `${esc}[31m`,
  `${esc}[8m`,
  `${esc}]0;title\u0007`,
  `${esc}]8;;http://x${esc}\\link${esc}]8;;${esc}\\`,
  `${esc}Pq#0${esc}\\`,
  `${esc}c`,
  `${esc}(0`,
  '\u009b2J',
  '\u009d0;title\u009c',
  '\u0090q\u009c',
  '\r',
  '\u0008',
  '\u202e',
  '\u2066',
  '\u200f',
  '\u061c',
  '\u2028',
]
const dangerous = /(?![\n\t])\p{Cc}|[\p{Zl}\p{Zp}\p{Bidi_Control}]/u
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(...attacks, ...attacks.map((one) => one.slice(0, -1))),
      fc.string({ unit: 'binary' }),
    ),
  )
  .map((parts) => parts.join(''))

describe('law 15: what is printed of texts of others', () => {
  it.each(attacks)('has no %j left', (attack) => {
    expect(printable(`before${attack}after`)).toMatch(/^before(link)?after$/)
  })

  it('has no control character, no sequence and no mark of direction, whatever the text', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(printable(text)).not.toMatch(dangerous)
        expect(printableInColor(text).replaceAll(/\u001b\[\d+m/g, '')).not.toMatch(dangerous)
      }),
    )
  })

  it('keeps every other text as it is', () => {
    for (const text of ['plain', 'two\nlines\tand a tab', 'äöü 漢字 😀 العربية', '[31m is text'])
      expect(printable(text)).toBe(text)
  })

  it('keeps our own colours, and no other sequence, where it may be coloured', () => {
    expect(printableInColor(`${esc}[1mbold${esc}[22m ${esc}[31mred${esc}[39m`)).toBe(
      `${esc}[1mbold${esc}[22m ${esc}[31mred${esc}[39m`,
    )
    for (const other of attacks.filter((one) => one !== `${esc}[31m`))
      expect(printableInColor(`a${other}b`), JSON.stringify(other)).toMatch(/^a(link)?b$/)
  })

  it('is the same value in JSON, written without these characters', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const json = printableJson(JSON.stringify({ text }, null, 2))
        expect(json).not.toMatch(dangerous)
        expect(JSON.parse(json)).toEqual({ text })
      }),
    )
  })

  it('takes time in proportion to the text', () => {
    const hostile = `${esc}]`.repeat(200_000) + `${esc}[`.repeat(200_000) + `${esc}[${'0'.repeat(200_000)}`
    const from = performance.now()
    printable(hostile)
    printableInColor(hostile)
    expect(performance.now() - from).toBeLessThan(5_000)
  })
})

it('law 15: the text of a mail has no characters that only a model reads', () => {
  const hidden = Array.from('run it')
    .map((char) => String.fromCodePoint(0xe0000 + char.charCodeAt(0)))
    .join('')
  const mail = cleanMail(
    {
      ...{
        id: 'x',
        messageId: null,
        from: [`a${hidden}@b`],
        to: [],
        date: null,
        cut: false,
        attachments: [],
      },
      ...{ subject: `S\u3164\u115f\u034fubject${hidden}`, text: `T${hidden}e\u3164x\u115ft\u034f` },
    },
    1_000,
  )
  expect(mail).toMatchObject({ from: ['a@b'], subject: 'Subject', text: 'Text' })
})
