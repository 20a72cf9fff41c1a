/** One made-up login of the stand-in: its credentials, its budgets, and how its requests are answered. */
import { createHash, randomUUID } from 'node:crypto'
import { type Answer, type Answerer, answererOf, type Script } from './answers.js'
import type { Breakage, Fault, FaultName } from './faults.js'
import {
  claimModel,
  nextReset,
  quotaHeaders,
  type StandInWall,
  wallHeaders,
  type WallKind,
  type WindowName,
  windowNames,
  type Windows,
} from './limits.js'
import type { RequestKind } from './requests.js'

/** What the login's organization has bought; some texts of the agent program depend on it. */
export type Plan = 'pro' | 'max' | 'team' | 'enterprise'

export interface WallOptions {
  headers?: Record<string, string>
  /** Part of a model's name; by default the one that the claim is about, or null for every model. */
  model?: string | null
}

export interface BudgetOptions {
  /** Of the wall when it is used up, and of the window that shows its use. Default `five_hour`. */
  kind?: WindowName
  /**
   * The instant of the reset, or milliseconds from the moment of the wall on; then the budget is whole again.
   */
  resets: Date | { afterMs: number }
  headers?: Record<string, string>
}

interface Budget {
  of: number
  left: number
  kind: WindowName
  options: BudgetOptions
  resetsAt: Date
}

/** What the usage endpoint answers for this account. */
export type UsageMode =
  | { mode: 'ok' }
  | { mode: 'throttled'; retryAfter: number | null }
  | { mode: 'error'; status: number }
  | { mode: 'hang' }

export type Refusal =
  | { kind: 'wall'; headers: Record<string, string> }
  | { kind: 'fault'; fault: FaultName | Fault }
  | { kind: 'breakage'; breakage: Breakage }

/** How one request is answered. */
export type Decision =
  | Refusal
  | { kind: 'answer'; answerer: Answerer | null; headers: Record<string, string> }

const uuidFrom = (text: string): string => {
  const hex = createHash('sha256').update(text).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

export class StandInAccount {
  readonly name: string
  readonly uuid: string
  readonly organizationUuid: string
  readonly email: string
  readonly apiKey: string
  /** The access token that is valid now. */
  token: string
  /** Single use: each refresh returns another. */
  refreshToken: string
  plan: Plan = 'max'
  windowsNow: Windows = {}
  walls: StandInWall[] = []
  usage: UsageMode = { mode: 'ok' }
  /** Whether its logins are accepted at all. */
  revoked = false
  #answerer: Answerer | null = null
  #budget: Budget | null = null
  #pendingRefusals: {
    failure: { fault: FaultName | Fault } | { breakage: Breakage }
    left: number
    kind: RequestKind | 'any'
  }[] = []

  constructor(name: string) {
    this.name = name
    this.uuid = uuidFrom(`account ${name}`)
    this.organizationUuid = uuidFrom(`organization ${name}`)
    this.email = `${name}@example.com`
    this.apiKey = `sk-ant-api03-made-up-${name}-0123456789abcdefghij`
    this.token = `sk-ant-oat01-made-up-${name}-1`
    this.refreshToken = `sk-ant-ort01-made-up-${name}-1`
  }

  get rateLimitTier(): string {
    return this.plan === 'max' ? 'default_claude_max_20x' : 'default_claude_ai'
  }

  /** Sets the windows that answers and the usage endpoint show. */
  windows(windows: Windows): this {
    this.windowsNow = windows
    return this
  }

  /** The model's answers on this account; the stand-in's own answers if this is not set. */
  answer(answer: Answerer | Script | Answer | string | null): this {
    this.#answerer = answererOf(answer)
    return this
  }

  /**
   * Refuses from now on for a plan limit, until the reset has passed or it is lifted. Walls of several kinds
   * may exist at once.
   */
  wall(kind: WallKind = 'five_hour', resetsAt: Date | null = null, options: WallOptions = {}): this {
    const others = this.walls.filter((wall) => wall.kind !== kind)
    const model = options.model === undefined ? claimModel(kind) : options.model
    this.walls = [...others, { kind, resetsAt, headers: options.headers ?? {}, model }]
    return this
  }

  /** Ends the wall of this kind and the budget behind it, or every wall and budget. */
  lift(kind?: WallKind): this {
    this.walls = kind === undefined ? [] : this.walls.filter((wall) => wall.kind !== kind)
    if (kind === undefined || kind === this.#budget?.kind) this.#budget = null
    return this
  }

  /** Answers `turns` more turns, then refuses until the reset. The window of its kind shows the use. */
  budget(turns: number, options: BudgetOptions): this {
    const kind = options.kind ?? 'five_hour'
    this.#budget = { of: turns, left: turns, kind, options, resetsAt: resetOf(options, new Date()) }
    this.#showBudget(this.#budget)
    return this
  }

  /** The windows as they are now: one that was reset is unused, one that walls is used up. */
  windowsAt(now: Date): Windows {
    const windows: Windows = {}
    for (const name of windowNames) {
      const window = this.windowsNow[name]
      if (window)
        windows[name] = window.resetsAt > now ? window : { used: 0, resetsAt: nextReset(name, window, now) }
      const wall = this.walls.find(({ kind }) => kind === name)
      if (!wall || (wall.resetsAt !== null && wall.resetsAt <= now)) continue
      windows[name] = {
        used: 1,
        resetsAt: wall.resetsAt ?? windows[name]?.resetsAt ?? nextReset(name, null, now),
      }
    }
    return windows
  }

  /** The next `times` requests of this kind fail this way. */
  fail(fault: FaultName | Fault, times = Infinity, kind: RequestKind | 'any' = 'any'): this {
    this.#pendingRefusals.push({ failure: { fault }, left: times, kind })
    return this
  }

  break(breakage: Breakage, times = Infinity, kind: RequestKind | 'any' = 'turn'): this {
    this.#pendingRefusals.push({ failure: { breakage }, left: times, kind })
    return this
  }

  /** Cancels what `fail` and `break` have scripted. */
  heal(): this {
    this.#pendingRefusals = []
    return this
  }

  /** Expires the access token, as happens by itself after hours; the refresh token stays valid. */
  expireToken(): this {
    this.token = `sk-ant-oat01-made-up-${this.name}-${randomUUID()}`
    return this
  }

  /** Exchanges the refresh token; false for one that was used before. */
  refresh(refreshToken: string): boolean {
    if (this.revoked || refreshToken !== this.refreshToken) return false
    this.refreshToken = `sk-ant-ort01-made-up-${this.name}-${randomUUID()}`
    this.expireToken()
    return true
  }

  /** Decides how a request is answered, and uses up the budget. */
  decide(kind: RequestKind, model: string | null, now: Date): Decision {
    const failure = this.#pendingRefusals.find(
      (entry) => entry.left > 0 && (entry.kind === 'any' || entry.kind === kind),
    )
    if (failure) {
      failure.left -= 1
      const { failure: what } = failure
      return 'fault' in what ? { kind: 'fault', ...what } : { kind: 'breakage', ...what }
    }
    const wall = this.wallFor(model, now)
    if (wall) return { kind: 'wall', headers: wallHeaders(wall, this.windowsAt(now)) }
    if (kind === 'turn' && this.#budget) {
      this.#budget.left -= 1
      if (this.#budget.left <= 0) this.#budget.resetsAt = resetOf(this.#budget.options, now)
      this.#showBudget(this.#budget)
    }
    return { kind: 'answer', answerer: this.#answerer, headers: quotaHeaders(this.windowsAt(now)) }
  }

  /** How a request fails that gets no answer from the model. */
  refusalIn({ fault, breakage, wall }: Answer): Refusal | null {
    if (fault !== undefined) return { kind: 'fault', fault }
    if (breakage !== undefined) return { kind: 'breakage', breakage }
    if (!wall) return null
    const oneTimeWall = { ...wall, headers: wall.headers ?? {}, model: null }
    return { kind: 'wall', headers: wallHeaders(oneTimeWall, this.windowsAt(new Date())) }
  }

  /** The wall that a request for this model meets, or null. */
  wallFor(model: string | null, now: Date): StandInWall | null {
    this.walls = this.walls.filter((wall) => wall.resetsAt === null || wall.resetsAt > now)
    this.#raiseBudgetWall(now)
    const applies = (wall: StandInWall): boolean =>
      wall.model === null || (model?.includes(wall.model) ?? false)
    return this.walls.find(applies) ?? null
  }

  #raiseBudgetWall(now: Date): void {
    const budget = this.#budget
    if (!budget || budget.left > 0) return
    if (budget.resetsAt > now) {
      this.wall(budget.kind, budget.resetsAt, { headers: budget.options.headers ?? {} })
    } else if (budget.options.resets instanceof Date) {
      // A budget with a fixed reset is whole again after it and never runs out a second time.
      this.#budget = null
    } else {
      budget.left = budget.of
      budget.resetsAt = resetOf(budget.options, now)
      this.#showBudget(budget)
    }
  }

  #showBudget({ of, left, kind, resetsAt }: Budget): void {
    const used = of === 0 ? 1 : (of - Math.max(0, left)) / of
    this.windowsNow = { ...this.windowsNow, [kind]: { used, resetsAt } }
  }
}

const resetOf = ({ resets }: BudgetOptions, now: Date): Date =>
  resets instanceof Date ? resets : new Date(now.getTime() + resets.afterMs)
