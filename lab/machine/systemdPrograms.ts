/**
 * `systemd-run` and `systemctl` for tests: they accept the arguments that the real ones accept, and do what
 * can be done without a manager.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Stands for a control group: a soft limit of CPU seconds, which every process inherits from the one that
 * started it. None of our programs changes it, and no process reaches it.
 */
const marks = { unit: 90_000_613, scope: 90_000_617 } as const

/** Shell: the process joins the group. */
export const joins = (group: keyof typeof marks): string => `ulimit -S -t ${marks[group]}`

/**
 * Parses options as the real program does, and refuses those that it does not know. Then it joins its scope
 * and becomes the command.
 */
const systemdRun = (log: string, isThere: string): string => `#!/bin/sh
printf '%s\\n' "$*" >> '${log}'
scope= user=
while [ $# -gt 0 ]; do
  case "$1" in
    --user) user=1;;
    --system) ;;
    --scope) scope=1;;
    --quiet|--collect|--no-ask-password) ;;
    --unit=?*|--description=?*) ;;
    --property=TasksMax=infinity|--property=Delegate=yes|--property=ManagedOOMPreference=avoid) ;;
    --) shift; break;;
    -*) echo "systemd-run: unrecognized option '$1'" >&2; exit 1;;
    *) break;;
  esac
  shift
done
if [ -z "$scope" ] || [ ! -e '${isThere}' ] || { [ -n "$user" ] && [ -z "$XDG_RUNTIME_DIR" ]; }; then
  echo 'Failed to connect to bus: No medium found' >&2
  exit 1
fi
${joins('scope')}
exec "$@"
`

/**
 * Records its calls. Units are files in the folder `units`, each with the command line of its service: it
 * starts them, ends them, and reports their process in the format of the real one. All other calls get the
 * answer in the file `says`, whose first line is the exit code.
 */
const systemctl = (log: string, reply: string, units: string): string => `#!/bin/sh
printf '%s\n' "$*" >> '${log}'
case "$1" in --user|--system) shift;; esac
verb=$1 unit='${units}'/$2
pid=$(cat "$unit.pid" 2>/dev/null)
kill -0 "$pid" 2>/dev/null || pid=
end() { [ -z "$pid" ] || kill -KILL "$pid"; }
start() {
  [ -z "$pid" ] || return
  rm -f "$unit.pid"
  setsid sh -c 'echo $$ > "$0.pid"; exec sh "$0"' "$unit" > /dev/null 2>&1 &
  until [ -s "$unit.pid" ]; do sleep 0.05; done
}
if [ -e "$unit" ]; then
  case "$verb" in
    show) [ -n "$pid" ] && state=active || state=failed
      printf 'MainPID=%s\nActiveState=%s\nResult=exit-code\n' "\${pid:-0}" "$state"; exit 0;;
    start) start; exit 0;;
    stop) end; exit 0;;
    restart) end; pid=; start; exit 0;;
  esac
fi
[ -e '${reply}' ] || exit 0
tail -n +2 '${reply}'
exit "$(head -n 1 '${reply}')"
`

export class FakeSystemdPrograms {
  /** A folder to put first on PATH. */
  readonly folder: string
  readonly #manager: string
  readonly #reply: string
  readonly #units: string

  constructor(dir: string) {
    this.folder = join(dir, 'systemd-bin')
    mkdirSync(this.folder)
    this.#manager = join(this.folder, 'manager')
    this.#reply = join(this.folder, 'systemctl.reply')
    this.#units = join(this.folder, 'units')
    mkdirSync(this.#units)
    this.#write('systemd-run', systemdRun(this.#log('systemd-run'), this.#manager))
    this.#write('systemctl', systemctl(this.#log('systemctl'), this.#reply, this.#units))
    writeFileSync(this.#manager, '')
  }

  /** From now on no manager answers requests for a scope. */
  refuse(): void {
    rmSync(this.#manager)
  }

  /** Its calls, one per line. */
  recordedCalls(program: 'systemd-run' | 'systemctl'): string[] {
    const log = this.#log(program)
    return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
  }

  /** A unit whose main process runs this script. */
  addUnit(name: string, script: string): void {
    writeFileSync(join(this.#units, name), script)
  }

  /** How systemctl answers from now on. */
  answer(exitCode: number, text: string): void {
    writeFileSync(this.#reply, `${exitCode}\n${text}\n`)
  }

  #log(program: string): string {
    return join(this.folder, `${program}.log`)
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text, { mode: 0o755 })
  }
}

/** The group of a process; null if it is in neither, or gone. */
export function groupOf(pid: number): keyof typeof marks | null {
  try {
    const limit = Number(/^Max cpu time +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1])
    return limit === marks.scope ? 'scope' : limit === marks.unit ? 'unit' : null
  } catch {
    return null
  }
}
