/** A `tmux` that kills its caller, a worker, at a chosen command, either before or after carrying it out. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'

/**
 * `before`: the command is never carried out. `after`: it is, and its caller never learns of it. Commands
 * have to be processes for that, so a permanent connection is refused.
 */
const program = (tmux: string, orders: string): string => `#!/bin/sh
case " $* " in *' -C '*) exit 1;; esac
if [ -e '${orders}' ]; then
  read -r when command what < '${orders}'
  case " $* " in
    *" $command "*"$what"*)
      rm '${orders}'
      [ "$when" = before ] || '${tmux}' "$@"
      kill -KILL "$PPID"
      exit 1;;
  esac
fi
exec '${tmux}' "$@"
`

export class KillingTmux {
  /** A folder to put first on PATH. */
  readonly folder: string
  readonly #orders: string

  private constructor(folder: string) {
    this.folder = folder
    this.#orders = join(folder, 'orders')
  }

  static async install(dir: string): Promise<KillingTmux> {
    const killing = new KillingTmux(join(dir, 'killing-bin'))
    const { stdout } = await execa('/bin/sh', ['-c', 'command -v tmux'])
    mkdirSync(killing.folder)
    writeFileSync(join(killing.folder, 'tmux'), program(stdout, killing.#orders), { mode: 0o755 })
    return killing
  }

  /** The next caller of a command with these words in it is killed. */
  killAt(when: 'before' | 'after', command: string, what: string): void {
    writeFileSync(this.#orders, `${when} ${command} ${what}\n`)
  }
}
