/** Reads a draft off the screen, for a process whose editor is not Outpool's. The program wraps long lines at blanks. */
import { plainLines, typedRows } from '../screen/screen.js'
import { readDraft, readInputMode, showsWholeDraft } from '../screen/draft.js'

/** A box of another version of the program may scroll without a word about it; it grows to about half of the screen. */
const maxShare = 0.4

/** The marker before the text and its blank, the cursor at the end, and the margin of the box. */
const columnsBesideText = 4

export function readShownDraft(
  screen: string,
  columns: number,
): { text: string; mode: 'words' | 'shell' } | 'cut' | null {
  const rows = typedRows(screen)
  if (rows === null || readDraft(screen) === null) return null
  const isFull = rows.length > plainLines(screen).length * maxShare
  if (isFull || !showsWholeDraft(screen)) return 'cut'
  return {
    text: unwrapped(rows, columns - columnsBesideText).trim(),
    mode: readInputMode(screen) ?? 'words',
  }
}

/** A row is continued by the next one if the first word of that did not fit on it any more. */
function unwrapped(rows: readonly string[], width: number): string {
  return rows.reduce((text, row, at) => {
    const before = rows[at - 1] ?? ''
    const [first = ''] = row.split(' ')
    const isContinued = first !== '' && before !== '' && before.length + 1 + first.length > width
    // A word that is longer than a whole row is broken within.
    const isWithinWord = isContinued && before.length >= width && !before.includes(' ')
    return text + (isWithinWord ? '' : isContinued ? ' ' : '\n') + row
  })
}
