/**
 * Types a text into the agent, exactly once. It counts as taken by what follows Enter, not by comparing it with the transcript,
 * because the program rewrites texts (docs/decisions/0015-text-taken-by-its-effect.md).
 */
import { statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { Feature } from '../../policy/features.js'
import { type InputLineState, nextTypingStep } from '../../policy/session/typing.js'
import { elapsed } from '../../policy/instants.js'
import type { DeliverRequest } from '../contracts.js'
import type { Host } from '../../host/host.js'
import type { Sampler } from '../watch/sampler.js'
import { type DeliveryRecord, resetForLaunch } from '../../host/state/sessionRecord.js'
import type { Pane } from '../../host/tmux/panes.js'
import { closePanel } from './panel.js'
import { clearLine, leaveHistory, pasteIntoLine } from './inputLine.js'
import { dropText, readText } from './pendingInput.js'
import {
  CommandRefusedError,
  ConversationChangedError,
  hookRefusal,
  LineOccupiedError,
  TextNotTakenError,
  TextRefusedError,
} from '../errors.js'
import { StaleFenceError } from '../../host/errors.js'

/** How long a change of the input line may take to be drawn, in ms. */
const drawnWithin = 2_000
/** How long to wait for evidence after an Enter, in ms. */
const evidenceTimeout = 3_000
const pollEvery = 100
/** How long the input line may be hidden before a person is notified, in ms. */
const hiddenTimeout = 10_000

const twoDrafts =
  'its input line holds a draft that outpool cannot set aside, because another one is set aside already'

const noStash =
  'its input line holds a draft, and the stash of the installed agent program does not work as expected (see outpool rehearse)'
const unreadableLine =
  'the installed agent program draws its input line in another way, so that a draft there would be sent with it (see outpool rehearse)'

type ResolvedDeliverRequest = DeliverRequest & { text: string }

/** Throws StaleFence, ConversationChanged, TextNotTaken, LineOccupied, TextRefused, CommandRefused. */
export async function deliverText(host: Host, sampler: Sampler, request: DeliverRequest): Promise<void> {
  const { session, messageId } = request
  const text = request.text ?? readText(host, session, messageId)
  // A text that a person typed in the pane is deleted once it was taken.
  if (text === null) return
  await new TextDelivery(host, sampler, { ...request, text }).run()
  if (request.text === null) dropText(host, session, messageId)
}

/** What became of the text so far. */
interface DeliveryEvidence {
  followed: InputLineState['followed']
  /** What the program said if it has no command of that name. */
  refusal: string | null
  /** The reason that a hook gave if it refused the prompt. */
  blocked: string | null
}

const evidence = (
  followed: DeliveryEvidence['followed'],
  { refusal = null, blocked = null }: Partial<DeliveryEvidence> = {},
): DeliveryEvidence => ({ followed, refusal, blocked })

class TextDelivery {
  readonly #host: Host
  readonly #sampler: Sampler
  readonly #request: ResolvedDeliverRequest
  readonly #adapter: AgentAdapter
  readonly #signal: AbortSignal
  readonly #inputKind: 'text' | 'command'
  #hiddenSince: number | null = null

  constructor(host: Host, sampler: Sampler, request: ResolvedDeliverRequest) {
    this.#host = host
    this.#sampler = sampler
    this.#request = request
    this.#adapter = host.adapter(request.agent)
    this.#signal = Context.current().cancellationSignal
    this.#inputKind = request.command === true ? 'command' : 'text'
  }

  /** Returns once the text was taken; for a command, once it is done. */
  async run(): Promise<void> {
    const { session, fence, messageId, command = false, isRetry = false } = this.#request
    const { records } = this.#host
    const context = Context.current()
    if (isRetry && context.info.attempt === 1) records.forgetDelivery(session, messageId)
    for (;;) {
      const now = records.launch(session, fence)?.sessionId ?? this.#request.sessionId
      if (now !== this.#request.sessionId) {
        // A command such as /clear begins another conversation.
        if (command && this.#record() !== null) return
        throw new ConversationChangedError(session, now)
      }
      if (this.#record()?.taken === true) return
      if ((await this.#findEvidence()).followed === 'same') break
      if (await this.#isObsolete()) return
      // A panel may have been left open by an earlier attempt, and one may open late: the agent would take nothing else.
      const ready = await this.#untilAccepts()
      // A command may end the program.
      if (!ready && command && (this.#record()?.entered ?? 0) > 0) return
      if (!ready) throw new StaleFenceError(session, fence, records.newest(session)?.fence ?? fence)
      // The agent may have been prompted while this text waited.
      if (await this.#isObsolete()) return
      if (await records.runExclusive(session, () => this.#step())) break
      await delay(pollEvery, undefined, { signal: this.#signal })
    }
    const record = this.#record()
    if (record !== null) this.#save({ ...record, taken: true })
    if (command) await this.#untilCommandDone()
  }

  /** A continuation is obsolete once the agent has been prompted by a person, or has taken the prompt of its start. */
  async #isObsolete(): Promise<boolean> {
    const { skipIfPromptedAfter, session, sessionId } = this.#request
    if (skipIfPromptedAfter === undefined || this.#record() !== null) return false
    const transcript = await this.#transcript()
    if (transcript === null) return false
    const forkedAt = this.#host.records.forkedAt(session, sessionId)
    return (await this.#adapter.readTail(transcript, skipIfPromptedAfter, forkedAt)).entered.length > 0
  }

  /** One step at the input line. True once the text was taken. */
  async #step(): Promise<boolean> {
    const { session, fence } = this.#request
    const pane = await this.#host.tmux.pane(session)
    if (!pane || pane.dead || pane.fence !== fence || !this.#sampler.accepts(this.#inputKind, session, fence))
      return false
    const lastKey = await this.#host.tmux.lastKeyAt(session)
    if (lastKey !== null && elapsed(lastKey, Date.now()) < this.#host.config.timing.keysQuiet) return false
    const { followed, blocked } = await this.#findEvidence()
    if (blocked !== null) throw await this.#clearBlocked(pane, blocked)
    if (this.#isOff('input-line')) throw new LineOccupiedError(unreadableLine)
    const { line, screen } = await this.#readLine(pane, lastKey)
    const record = this.#record()
    const sinceLastKey = record === null ? null : elapsed(record.keyAt, Date.now())
    const { typed, entered } = record ?? { typed: 0, entered: 0 }
    if (line !== 'hidden') this.#hiddenSince = null
    switch (nextTypingStep({ typed, entered, sinceLastKey, followed, line })) {
      case 'taken':
        return true
      case 'wait':
        if (line === 'hidden') this.#assertBrieflyHidden()
        return false
      case 'give-up':
        throw new TextNotTakenError(typed)
      case 'leave-shell':
        await this.#host.tmux.press(pane.id, this.#adapter.exitShellModeKeys)
        return false
      case 'aside':
        await this.#putAside(pane, screen)
        return false
      case 'type':
        await this.#pasteText(pane)
        return this.#pressEnter(pane)
      case 'enter':
        return this.#pressEnter(pane)
    }
  }

  #isOff(feature: Feature): boolean {
    return this.#host.features.isOff(this.#request.agent, feature)
  }

  /** Throws LineOccupied once the input line was hidden for a while, for example by a viewer that a person left open. */
  #assertBrieflyHidden(): void {
    this.#hiddenSince ??= performance.now()
    if (performance.now() - this.#hiddenSince < hiddenTimeout) return
    throw new LineOccupiedError('its input line is hidden')
  }

  async #readLine(
    pane: Pane,
    lastKey: number | null,
  ): Promise<{ line: InputLineState['line']; screen: string }> {
    const screen = await this.#host.tmux.colouredScreen(pane.id)
    const mode = this.#adapter.readInputMode(screen)
    if (mode === null) return { line: 'hidden', screen }
    const draft = this.#adapter.readDraft(screen)
    if (draft === null) return { line: mode === 'words' ? 'empty' : 'shell', screen }
    const record = this.#record()
    // tmux reports key presses in whole seconds. A line that a person may have edited since must not be sent.
    const isUntouched = record !== null && (lastKey === null || lastKey + 1_000 < record.keyAt)
    const isOurs = record !== null && record.typed > 0 && isUntouched
    return { line: isOurs && this.#adapter.isDraftOf(draft, this.#request.text) ? 'ours' : 'other', screen }
  }

  /** Uses the program's own stash: a draft may hold pastes and pictures that the screen does not show. */
  async #putAside(pane: Pane, shown: string): Promise<void> {
    const screen = await leaveHistory(this.#host, this.#adapter, pane, shown)
    if (this.#adapter.readDraft(screen) === null) return
    if (this.#adapter.hasStashedDraft(screen)) throw new LineOccupiedError(twoDrafts)
    if (this.#isOff('stash')) throw new LineOccupiedError(noStash)
    await this.#host.tmux.press(pane.id, this.#adapter.stashKeys)
    if (!(await this.#untilLine(pane, (draft) => draft === null))) throw new LineOccupiedError(twoDrafts)
  }

  async #pasteText(pane: Pane): Promise<void> {
    const { text, command } = this.#request
    const before = this.#record()
    const mark = await this.#transcriptSize()
    this.#save({
      ...{ print: this.#adapter.fingerprint(text), from: before?.from ?? mark, mark },
      ...{ fence: this.#request.fence, conversation: this.#request.sessionId },
      ...{ typed: (before?.typed ?? 0) + 1, entered: 0 },
      ...{ enteredAt: before?.enteredAt ?? null, keyAt: Date.now(), taken: false },
    })
    const pasted = this.#adapter.toPaste(text, command === true ? 'command' : 'words')
    await pasteIntoLine(this.#host, this.#adapter, pane, pasted)
  }

  /** Presses Enter, and waits for evidence that the text was taken. */
  async #pressEnter(pane: Pane): Promise<boolean> {
    const record = this.#record()
    if (record === null) return false
    const keyAt = Date.now()
    this.#save({ ...record, entered: record.entered + 1, enteredAt: record.enteredAt ?? keyAt, keyAt })
    await this.#host.tmux.press(pane.id, ['Enter'])
    const until = performance.now() + evidenceTimeout
    do {
      const { followed, refusal, blocked } = await this.#findEvidence()
      if (refusal !== null) throw new CommandRefusedError(refusal)
      if (blocked !== null) throw await this.#clearBlocked(pane, blocked)
      if (followed === 'same') return true
      await this.#refuseIfPanel()
      await delay(pollEvery)
    } while (performance.now() < until)
    return false
  }

  /** Throws CommandRefused if the command that was entered has opened a panel, which only a person can use. */
  async #refuseIfPanel(): Promise<void> {
    if (this.#inputKind !== 'command' || (this.#record()?.entered ?? 0) === 0) return
    const { session, text } = this.#request
    if (!(await closePanel(this.#host.tmux, this.#adapter, session))) return
    const [name = text] = this.#adapter.toPaste(text, 'command').split(' ')
    throw new CommandRefusedError(`${name} opens a panel; attach to use it: outpool attach ${session}`)
  }

  async #untilLine(pane: Pane, fits: (draft: string | null) => boolean): Promise<boolean> {
    const until = performance.now() + drawnWithin
    for (;;) {
      if (fits(this.#adapter.readDraft(await this.#host.tmux.colouredScreen(pane.id)))) return true
      if (performance.now() > until) return false
      await delay(pollEvery)
    }
  }

  async #findEvidence(): Promise<DeliveryEvidence> {
    const { session, fence, sessionId, command } = this.#request
    const record = this.#record()
    if (record === null) return evidence('none')
    const transcript = await this.#transcript()
    const forkedAt = this.#host.records.forkedAt(session, sessionId)
    const tail = transcript === null ? null : await this.#adapter.readTail(transcript, record.from, forkedAt)
    const { entered, commands } = tail ?? { entered: [], commands: [] }
    if (command === true && commands.length > 0)
      return evidence('same', { refusal: commands[0]?.refusal ?? null })
    if (entered.some((said) => this.#adapter.fingerprint(said) === record.print)) return evidence('same')
    if (record.enteredAt === null) return evidence('none')
    // A prompt between two typings is older than the second one, and proves nothing about it.
    const since = transcript ? await this.#adapter.readTail(transcript, record.mark, forkedAt) : null
    const blocked = record.entered > 0 ? since?.blocked[0] : undefined
    if (blocked !== undefined) return evidence('none', { blocked: blocked.reason })
    const isReported = this.#sampler.submittedSince(session, fence, record.enteredAt)
    return evidence(isReported || (since?.entered.length ?? 0) > 0 ? 'another' : 'none')
  }

  /** Clears the input line, into which the program has put the text back: a later text would find a person's draft in it. */
  async #clearBlocked(pane: Pane, reason: string): Promise<Error> {
    await this.#untilLine(pane, (draft) => draft !== null)
    const { line } = await this.#readLine(pane, await this.#host.tmux.lastKeyAt(pane.session))
    if (line === 'ours') await clearLine(this.#host, this.#adapter, pane)
    return this.#inputKind === 'command'
      ? new CommandRefusedError(hookRefusal(reason))
      : new TextRefusedError(reason)
  }

  /** The record of this text. Text that was typed to an earlier process without effect was lost with it. */
  #record(): DeliveryRecord | null {
    const { session, fence, messageId, sessionId } = this.#request
    const known = this.#host.records.delivery(session, messageId, sessionId)
    return known === null || known.fence === fence ? known : resetForLaunch(known, fence)
  }

  #save(record: DeliveryRecord): void {
    this.#host.records.saveDelivery(this.#request.session, this.#request.messageId, record)
  }

  /** A command is done when the agent is at rest in a tick that came after it. */
  async #untilCommandDone(): Promise<void> {
    await delay(this.#host.config.timing.pollEvery, undefined, { signal: this.#signal })
    await this.#untilAccepts()
  }

  #untilAccepts(): Promise<boolean> {
    const { session, fence } = this.#request
    return this.#sampler.untilAccepts(this.#inputKind, session, fence, this.#signal, () =>
      this.#host.records.runExclusive(session, () => this.#refuseIfPanel()),
    )
  }

  async #transcript(): Promise<string | null> {
    const { place, sessionId } = this.#request
    return this.#adapter.findTranscript(this.#host.readablePlace(place), sessionId)
  }

  async #transcriptSize(): Promise<number> {
    const transcript = await this.#transcript()
    return transcript === null ? 0 : statSync(transcript).size
  }
}
