/** What happened to the services of a week, in order, for the oracle and for people. */

type Entry =
  | {
      kind: 'started'
      by: 'watchdog' | 'check' | 'agent' | 'person'
      pid: number
      fence: number
      incident: number | null
    }
  | { kind: 'killed'; pid: number; by: 'watchdog' | 'check'; why: string }
  | { kind: 'trouble'; incident: number; why: string; seenAt: number }
  | { kind: 'back'; incident: number; pid: number | null; seenAt: number }
  | { kind: 'checked'; incident: number; well: boolean; pid: number | null; why: string }
  | { kind: 'asked which agent to wake'; incident: number; attempt: number; place: string | null }
  | { kind: 'woken'; incident: number; place: string; comesUp: boolean }
  | { kind: 'agent ended'; incident: number; says: string }
  | { kind: 'closed'; incident: number; outcome: string }
  | { kind: 'told' | 'notified of a question'; incident: number; text: string }
  | { kind: 'paused' | 'resumed' }

export type LoggedEntry = Entry & { at: number }

export class Log {
  readonly #entries = new Map<string, LoggedEntry[]>()

  add(service: string, entry: LoggedEntry): void {
    this.#entries.set(service, [...this.of(service), entry])
  }

  of(service: string): readonly LoggedEntry[] {
    return this.#entries.get(service) ?? []
  }
}

export const formatEntry = ({ at, kind, ...rest }: LoggedEntry): string =>
  `${new Date(at).toISOString()} ${kind} ${Object.entries(rest)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')}`
