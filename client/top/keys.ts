/** The keys of the screen: what a person pressed, and what each does, for the help and the guide. */

export type NamedKey =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'pageUp'
  | 'pageDown'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'tab'
  | 'backspace'

/** `key` for keys that write nothing; `text` for what was typed, which is several characters if they came at once. */
export type Press =
  | { key: NamedKey }
  | { text: string }
  /** Of a letter. */
  | { ctrl: string }
  /** As the terminal marks it. */
  | { paste: string }

export interface KeyHelp {
  keys: string
  does: string
}

export const keyHelp: readonly KeyHelp[] = [
  {
    keys: 'up, down, j, k',
    does: 'choose a session; PgUp, PgDn by half a screen, Home, End or g, G to the ends',
  },
  { keys: 'Enter', does: 'attach: its pane, until you leave it with Ctrl-b d' },
  { keys: 'd, Tab', does: 'show or hide the newest events and the last lines of the pane' },
  { keys: 't', does: 'send a text: Enter sends it, Esc cancels' },
  { keys: 'm', does: 'move it to another account that you choose, or that the pool chooses' },
  { keys: 'r', does: 'rescue it: away from its account to the best one' },
  { keys: 'p', does: 'pause it; one that is paused or stopped goes on' },
  { keys: '/', does: 'show only sessions that match: name, account, phase, folder; Esc shows all again' },
  { keys: 's, S', does: 'sort by attention, name, phase, account or age; S reverses the order' },
  { keys: '?', does: 'this help' },
  { keys: 'q, Ctrl-C', does: 'quit; Ctrl-Z suspends, Ctrl-L draws the screen again' },
]

export const keyRemark =
  'Orders ask first, and only the key y, pressed alone, says yes. Pasted text orders nothing.'
