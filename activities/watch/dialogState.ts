/** The dialog that an agent shows: answered with safe keys if it has any, otherwise reported as waiting for a person. */
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { LiveState } from '../../agents/adapter/liveness.js'
import type { Host } from '../../host/host.js'
import type { Pane } from '../../host/tmux/panes.js'
import type { WatchRequest } from '../contracts.js'
import { type AskedQuestion, shownText, toAskedQuestion } from '../session/askedQuestion.js'
import type { WatchOutcome } from './turnFailures.js'
import { elapsed } from '../../policy/instants.js'

/** One key press per update; a dialog that remains after this many is left to a person. */
const maxKeyPresses = 12
/** A dialog counts as waiting for a person once it has been open for this long: most are answered at once. */
const waitingAfter = 3_000

export class DialogState {
  waitingFor: string | null
  /** The question that the dialog asks, if its choices could be read. */
  question: AskedQuestion | null = null

  readonly #host: Host
  readonly #adapter: AgentAdapter
  /** What the workflow knows already. */
  readonly #known: WatchRequest['waiting']
  readonly #cwd: string
  #openSince: number | null = null
  #keyPresses = 0

  constructor(host: Host, adapter: AgentAdapter, { waiting, cwd }: Pick<WatchRequest, 'waiting' | 'cwd'>) {
    this.#host = host
    this.#adapter = adapter
    this.#known = waiting
    this.#cwd = cwd
    this.waitingFor = waiting?.what ?? null
  }

  /** What the screen of the pane asks; null if it shows no dialog. */
  async promptOn(pane: Pane): Promise<string | null> {
    const prompt = (await this.#read(pane))?.prompt
    return prompt === undefined ? null : shownText(prompt)
  }

  /** Null unless the workflow has to hear of the dialog. */
  async update(
    pane: Pane,
    state: Pick<LiveState, 'sessionId' | 'updatedAt' | 'waitingFor'>,
  ): Promise<WatchOutcome | null> {
    const dialog = await this.#read(pane)
    // The limit menu may cover a prompt that was never sent: only closing it shows whether the account refuses.
    if (dialog?.safeKeys && this.#keyPresses < maxKeyPresses) {
      this.#keyPresses += 1
      await this.#host.tmux.press(pane.id, dialog.safeKeys)
      return null
    }
    const what = shownText(dialog?.prompt ?? state.waitingFor ?? 'an answer')
    this.waitingFor = what
    this.question = dialog?.question ? toAskedQuestion(dialog.question, state) : null
    const digest = this.question?.digest ?? null
    this.#openSince ??= Date.now()
    const isKnown = what === this.#known?.what && digest === (this.#known.digest ?? null)
    if (isKnown || elapsed(this.#openSince, Date.now()) < waitingAfter) return null
    return { kind: 'waiting', what, digest, isPermission: dialog?.name === 'permission' }
  }

  clear(): void {
    this.#openSince = null
    this.#keyPresses = 0
    this.waitingFor = null
    this.question = null
  }

  async #read(pane: Pane): Promise<ReturnType<AgentAdapter['readDialog']>> {
    return this.#adapter.readDialog(await this.#host.tmux.screen(pane.id), this.#cwd)
  }
}
