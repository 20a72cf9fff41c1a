/**
 * The screen as components of Ink, which finds what changed and places it, and reads keys. Only this file and `live.ts` load the
 * library.
 */
import { Box, type Key, Transform, useInput } from 'ink'
import { createElement, type ReactNode, useRef, useSyncExternalStore } from 'react'
import type { Colors } from 'picocolors/types.js'
import type { Frame } from './frame.js'
import type { NamedKey, Press } from './keys.js'

export interface AppProps {
  colors: Colors
  subscribe: (changed: () => void) => () => void
  /** The same object for as long as nothing changes. */
  frame: () => Frame
  press: (pressed: Press) => void
}

export function App({ colors, subscribe, frame, press }: AppProps): ReactNode {
  const paste = useRef<string | null>(null)
  useInput((input, key) => {
    for (const pressed of pressesOf(input, key, paste)) press(pressed)
  })
  return createElement(Screen, { frame: useSyncExternalStore(subscribe, frame), colors })
}

export function Screen({ frame, colors }: { frame: Frame; colors: Colors }): ReactNode {
  const { columns, rows, head, list, chosen, side, sideColumns, below, foot } = frame
  const marked = list.map((line, index) => (index === chosen ? colors.inverse(line) : line))
  const right = side.length === 0 ? [] : [column({ key: 'side', width: sideColumns }, side)]
  return createElement(
    Box,
    { flexDirection: 'column', width: columns, height: rows },
    column({ key: 'head' }, head),
    createElement(Box, { flexGrow: 1 }, column({ key: 'list', flexGrow: 1 }, marked), ...right),
    column({ key: 'below' }, below),
    column({ key: 'foot' }, foot),
  )
}

const column = (
  box: { key: string; width?: number; flexGrow?: number },
  lines: readonly string[],
): ReactNode =>
  createElement(
    Box,
    { flexDirection: 'column', flexShrink: 0, ...box },
    ...lines.map((line, index) => createElement(Line, { key: index, line })),
  )

/**
 * A line that fits already. To Ink it is as large as a blank: what it measures, version 6 keeps for as long as it runs, which would be
 * every line that the screen ever showed.
 */
const Line = ({ line }: { line: string }): ReactNode =>
  createElement(Transform, { transform: () => line, children: ' ' })

/** With these, a terminal marks what is pasted, as Ink passes them on: without the escape. */
const [pasteBegin, pasteEnd] = ['[200~', '[201~']

/** What was pressed; nothing while a paste goes on. */
function* pressesOf(input: string, key: Key, paste: { current: string | null }): Generator<Press> {
  if (input === pasteBegin) paste.current = ''
  else if (input === pasteEnd) {
    if (paste.current !== null) yield { paste: paste.current }
    paste.current = null
  } else if (paste.current !== null) paste.current += key.return ? '\n' : key.tab ? '\t' : input
  else yield* keysOf(input, key)
}

/** Of a key that Ink does not know, without its escape. */
const unknownSequence = /^(?:\[[\d:;<=>?]*[ -/]*[@-~])?$/

/** A letter after an escape in the same read is one that was pressed after it: the screen has no use for Alt. */
function* keysOf(input: string, key: Key): Generator<Press> {
  const name = nameOf(key)
  if (name !== null) yield { key: name }
  else if (key.ctrl) yield { ctrl: input }
  else if (input.includes('\u0003')) yield { ctrl: 'c' }
  else if (/^[\u007f\b]+$/.test(input)) yield* Array<Press>(input.length).fill({ key: 'backspace' })
  else if (unknownSequence.test(input)) return
  else if (key.meta) yield* [{ key: 'escape' } as const, { text: input }]
  else yield { text: input }
}

function nameOf(key: Key): NamedKey | null {
  const names: [boolean, NamedKey][] = [
    ...([
      [key.upArrow, 'up'],
      [key.downArrow, 'down'],
      [key.leftArrow, 'left'],
    ] as const),
    ...([
      [key.rightArrow, 'right'],
      [key.pageUp, 'pageUp'],
      [key.pageDown, 'pageDown'],
    ] as const),
    ...([
      [key.home, 'home'],
      [key.end, 'end'],
      [key.return, 'enter'],
      [key.escape, 'escape'],
    ] as const),
    ...([
      [key.tab, 'tab'],
      [key.backspace || key.delete, 'backspace'],
    ] as const),
  ].map(([isPressed, name]) => [isPressed, name])
  return names.find(([isPressed]) => isPressed)?.[1] ?? null
}
