/** A `tmux` for a worker that is to be killed at a chosen command: it carries the command out or not, and kills who asked. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'

/**
 * `before`: the command is never carried out. `after`: it is, and nobody hears of it. Commands have to be processes for
 * that, so that a standing connection is refused.
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
  /** To stand first on PATH. */
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

  /** Whoever next gives a command with these words in it is killed. */
  killAt(when: 'before' | 'after', command: string, what: string): void {
    writeFileSync(this.#orders, `${when} ${command} ${what}\n`)
  }
}
