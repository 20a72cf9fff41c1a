/** Texts of others as they may be printed: nothing in them moves a cursor, changes a colour, or reverses the order of letters. */

/**
 * Whole sequences, so that their parameters don't remain as text: with parameters, with a string up to its end, or of one letter. A string
 * holds no beginning of another one, so that many beginnings without an end take linear time.
 */
const sequence =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u0090\u0098\u009c-\u009f]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-Z\\`-~]/gu

/** Control characters but line break and tab, other line breaks, and marks of direction. */
const control = /(?![\n\t])\p{Cc}|[\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

/** The colours in which Outpool itself prints: foreground, bold and dim, and their ends. */
const ownColors = /(\u001b\[(?:[012]|22|3[0-79]|9[0-7])m)/

/** The text without every sequence and control character but line breaks and tabs. */
export const printable = (text: string): string => text.replaceAll(sequence, '').replaceAll(control, '')

/** The same for what Outpool prints in colours. */
export const printableInColor = (text: string): string =>
  text
    .split(ownColors)
    .map((part, index) => (index % 2 === 1 ? part : printable(part)))
    .join('')

/** For JSON, which loses nothing: the characters are written as JSON can write any. */
export const printableJson = (json: string): string =>
  json.replaceAll(control, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
