/** The terminal in which a person had an agent that was taken over: what runs there next. */
import { appendFileSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { statFields } from '../../config/state/procStat.js'
import { readUserProcess, type UserProcess } from '../../host/process/userProcesses.js'
import type { AdoptionRecord } from '../../host/state/adoptions.js'
import { type PersonPane, PersonTmux } from '../../host/tmux/personTmux.js'
import { shellQuoted } from '../../policy/shellWord.js'

/** A shell that gets its terminal back draws its prompt within moments. */
const promptWithin = 5_000
const pollEvery = 100

const shells = /^-?(?:ba|z|fi|da|k|mk|tc|c|a)?sh$/

/** A shell with a person: one without a script or a command to run. */
const isInteractiveShell = ({ argv: [program = '', ...args] }: UserProcess): boolean =>
  shells.test(basename(program)) && args.every((arg) => /^-/.test(arg) && !/^-\w*c/.test(arg))

/** Whether the pane holds a shell to which it returns when the agent ends. */
export function hasShell(pane: PersonPane, agent: UserProcess): boolean {
  const first = pane.pid === agent.pid ? null : readUserProcess(pane.pid)
  return first !== null && isInteractiveShell(first)
}

/**
 * Runs a script in the person's pane: typed at the prompt of their shell, or in place of an agent that was the pane's only process.
 * False if the pane is gone or something else runs in it now. With `thenShell`, a pane without a shell gets one after the script.
 */
export async function runInPane(
  { socket, pane: id }: Extract<AdoptionRecord['terminal'], { kind: 'tmux' }>,
  cwd: string,
  script: string,
  thenShell: boolean,
): Promise<boolean> {
  const tmux = new PersonTmux(socket)
  const until = performance.now() + promptWithin
  for (;;) {
    const pane = await tmux.pane(id)
    if (pane === null) return false
    if (pane.dead) {
      const shell = thenShell ? '; exec "${SHELL:-/bin/sh}"' : ''
      await tmux.respawn(id, cwd, ['/bin/sh', '-c', `/bin/sh ${shellQuoted(script)}${shell}`])
      await tmux.keepOpen(id, false)
      return true
    }
    if (isAtPrompt(pane)) {
      await tmux.keepOpen(id, false)
      // The blank keeps the line out of the history of most shells.
      await tmux.typeCommand(id, ` sh ${shellQuoted(script)}`)
      return true
    }
    if (performance.now() > until) return false
    await delay(pollEvery)
  }
}

/** Whether a shell with a person has the terminal: it leads the foreground process group. */
function isAtPrompt({ pid }: PersonPane): boolean {
  const foreground = Number(statFields(pid)?.[5] ?? 0)
  const leader = foreground > 0 ? readUserProcess(foreground) : null
  return leader !== null && isInteractiveShell(leader)
}

/** Writes lines to the terminal itself. It may be gone. */
export function writeToTerminal(path: string, lines: readonly string[]): void {
  try {
    appendFileSync(path, ['', ...lines, ''].join('\r\n'))
  } catch {
    // The terminal was closed, so there is no one to tell.
  }
}
