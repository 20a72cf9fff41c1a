/**
 * Types a text into the agent, exactly once. What proves that it was taken is what followed our Enter, never that a line of
 * the program's transcript equals ours: the program writes texts down in a form of its own (docs/decisions/typing.md).
 */
import { statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { AgentAdapter } from '../../agents/agent.js'
import { type LineSeen, nextLineStep } from '../../policy/session/typing.js'
import type { DeliverRequest } from '../contracts.js'
import {
  commandRefused,
  conversationChanged,
  hookRefusal,
  lineOccupied,
  staleFence,
  textNotTaken,
  textRefused,
} from '../errors.js'
import type { Host } from '../../host/host.js'
import type { Sampler } from '../watch/sampler.js'
import { type DeliveryRecord, untyped } from '../../host/state/sessionRecords.js'
import type { Pane } from '../../host/tmux/panes.js'
import { closePanel } from './panel.js'
import { clearLine, dropText, readText } from './pendingInput.js'

/** How long a paste may take to be drawn; Enter that comes with the paste is taken as part of it. Milliseconds. */
const drawnWithin = 2_000
const pasteSettle = 150
/** How long one look at what follows an Enter lasts, milliseconds. */
const followsLook = 3_000
const lookEvery = 100
/** Before a person is told that the input line can't be seen, milliseconds. */
const hiddenAtMost = 10_000

const twoDrafts =
  'a draft stands in its input line that outpool can not put aside, since another one is put aside already'

type Delivery = DeliverRequest & { text: string }

/** Throws StaleFence, ConversationChanged, TextNotTaken, LineOccupied, TextRefused, CommandRefused. */
export async function deliverText(host: Host, sampler: Sampler, asked: DeliverRequest): Promise<void> {
  const { session, messageId } = asked
  const text = asked.text ?? readText(host, session, messageId)
  // One that was typed here is dropped when it was taken.
  if (text === null) return
  await new Typist(host, sampler, { ...asked, text }).run()
  if (asked.text === null) dropText(host, session, messageId)
}

/** Where the text stands: what the transcript says of it, and the refusal of a command by the program, or of a prompt by a hook. */
interface Followed {
  what: LineSeen['followed']
  refusal: string | null
  blocked: string | null
}

const followedBy = (what: Followed['what'], more: Partial<Followed> = {}): Followed => ({
  ...{ what, refusal: null, blocked: null },
  ...more,
})

class Typist {
  readonly #host: Host
  readonly #sampler: Sampler
  readonly #request: Delivery
  readonly #adapter: AgentAdapter
  readonly #signal: AbortSignal
  readonly #what: 'text' | 'command'
  #hiddenSince: number | null = null

  constructor(host: Host, sampler: Sampler, request: Delivery) {
    this.#host = host
    this.#sampler = sampler
    this.#request = request
    this.#adapter = host.adapter(request.agent)
    this.#signal = Context.current().cancellationSignal
    this.#what = request.command === true ? 'command' : 'text'
  }

  /** Returns once the text was taken; a command, once it is over. */
  async run(): Promise<void> {
    const { session, fence, messageId, command = false, again = false } = this.#request
    const { records } = this.#host
    const context = Context.current()
    if (again && context.info.attempt === 1) records.forgetDelivery(session, messageId)
    for (;;) {
      const now = records.launch(session, fence)?.sessionId ?? this.#request.sessionId
      if (now !== this.#request.sessionId) {
        // A command such as /clear does just that.
        if (command && this.#record() !== null) return
        throw conversationChanged(session, now)
      }
      if (this.#record()?.taken === true) return
      if ((await this.#followed()).what === 'same') break
      if (await this.#isMoot()) return
      // An attempt before this one may have left a panel open, and one may open late: nothing else would be taken.
      const ready = await this.#untilTakes()
      // A command may well end the program.
      if (!ready && command && (this.#record()?.entered ?? 0) > 0) return
      if (!ready) throw staleFence(session, fence, records.newest(session)?.fence ?? fence)
      if (await records.inTurn(session, () => this.#step())) break
      await delay(lookEvery, undefined, { signal: this.#signal })
    }
    const record = this.#record()
    if (record !== null) this.#save({ ...record, taken: true })
    if (command) await this.#untilOver()
  }

  /** "Go on" is not said to an agent that a person has told something since. */
  async #isMoot(): Promise<boolean> {
    const { mootAfter, session, sessionId } = this.#request
    if (mootAfter === undefined || this.#record() !== null) return false
    const transcript = await this.#transcript()
    if (transcript === null) return false
    const forkedAt = this.#host.records.forkedAt(session, sessionId)
    return (await this.#adapter.readTail(transcript, mootAfter, forkedAt)).entered.length > 0
  }

  /** One step at the input line. True when the text is taken. */
  async #step(): Promise<boolean> {
    const { session, fence } = this.#request
    const pane = await this.#host.tmux.pane(session)
    if (!pane || pane.dead || pane.fence !== fence || !this.#sampler.takes(this.#what, session, fence))
      return false
    const lastKey = await this.#host.tmux.lastKeyAt(session)
    if (lastKey !== null && Date.now() - lastKey < this.#host.config.timing.keysQuiet) return false
    const { what: followed, blocked } = await this.#followed()
    if (blocked !== null) throw await this.#refused(pane, blocked)
    const { line, screen } = await this.#line(pane, lastKey)
    const record = this.#record()
    const sinceKey = record === null ? null : Date.now() - record.keyAt
    const { typed, entered } = record ?? { typed: 0, entered: 0 }
    switch (nextLineStep({ typed, entered, sinceKey, followed, line })) {
      case 'taken':
        return true
      case 'wait':
        if (line === 'hidden') this.#hiddenFor()
        else this.#hiddenSince = null
        return false
      case 'give-up':
        throw textNotTaken(typed)
      case 'leave-shell':
        await this.#host.tmux.press(pane.id, this.#adapter.leaveShellKeys)
        return false
      case 'aside':
        await this.#putAside(pane, screen)
        return false
      case 'type':
        await this.#type(pane)
        return this.#enter(pane)
      case 'enter':
        return this.#enter(pane)
    }
  }

  /** Throws LineOccupied once the input line has been hidden for a while, such as behind a viewer that a person left open. */
  #hiddenFor(): void {
    this.#hiddenSince ??= performance.now()
    if (performance.now() - this.#hiddenSince < hiddenAtMost) return
    throw lineOccupied('something stands before its input line')
  }

  async #line(pane: Pane, lastKey: number | null): Promise<{ line: LineSeen['line']; screen: string }> {
    const screen = await this.#host.tmux.colouredScreen(pane.id)
    const mode = this.#adapter.lineMode(screen)
    if (mode === null) return { line: 'hidden', screen }
    const draft = this.#adapter.readDraft(screen)
    if (draft === null) return { line: mode === 'words' ? 'empty' : 'shell', screen }
    const record = this.#record()
    // tmux tells of keys in whole seconds. What a person may have touched since is no longer ours to send.
    const isUntouched = record !== null && (lastKey === null || lastKey + 1_000 < record.keyAt)
    const isOurs = record !== null && record.typed > 0 && isUntouched
    return { line: isOurs && this.#adapter.isPartOf(draft, this.#request.text) ? 'ours' : 'other', screen }
  }

  /** The program's own way: a draft may hold pastes and pictures that no screen shows. */
  async #putAside(pane: Pane, screen: string): Promise<void> {
    if (this.#adapter.holdsStash(screen)) throw lineOccupied(twoDrafts)
    await this.#host.tmux.press(pane.id, this.#adapter.stashKeys)
    if (!(await this.#untilLine(pane, (draft) => draft === null))) throw lineOccupied(twoDrafts)
  }

  async #type(pane: Pane): Promise<void> {
    const { text, command } = this.#request
    const before = this.#record()
    const mark = await this.#transcriptSize()
    this.#save({
      ...{ print: this.#adapter.fingerprint(text), from: before?.from ?? mark, mark },
      ...{ fence: this.#request.fence, conversation: this.#request.sessionId },
      ...{ typed: (before?.typed ?? 0) + 1, entered: 0 },
      ...{ enteredAt: before?.enteredAt ?? null, keyAt: Date.now(), taken: false },
    })
    await this.#host.tmux.paste(pane.id, this.#adapter.pasteOf(text, command === true ? 'command' : 'words'))
    await delay(pasteSettle)
    await this.#untilLine(pane, (draft) => draft !== null)
  }

  /** Presses Enter, and looks for what follows. */
  async #enter(pane: Pane): Promise<boolean> {
    const record = this.#record()
    if (record === null) return false
    const keyAt = Date.now()
    this.#save({ ...record, entered: record.entered + 1, enteredAt: record.enteredAt ?? keyAt, keyAt })
    await this.#host.tmux.press(pane.id, ['Enter'])
    const until = performance.now() + followsLook
    do {
      const followed = await this.#followed()
      if (followed.refusal !== null) throw commandRefused(followed.refusal)
      if (followed.blocked !== null) throw await this.#refused(pane, followed.blocked)
      if (followed.what === 'same') return true
      await this.#refusePanel()
      await delay(lookEvery)
    } while (performance.now() < until)
    return false
  }

  /** Throws CommandRefused where the command that was entered has opened a panel, which only a person can use. */
  async #refusePanel(): Promise<void> {
    if (this.#what !== 'command' || (this.#record()?.entered ?? 0) === 0) return
    const { session, text } = this.#request
    if (!(await closePanel(this.#host.tmux, this.#adapter, session))) return
    const [name = text] = this.#adapter.pasteOf(text, 'command').split(' ')
    throw commandRefused(`${name} opens a panel; attach to use it: outpool attach ${session}`)
  }

  async #untilLine(pane: Pane, fits: (draft: string | null) => boolean): Promise<boolean> {
    const until = performance.now() + drawnWithin
    for (;;) {
      if (fits(this.#adapter.readDraft(await this.#host.tmux.colouredScreen(pane.id)))) return true
      if (performance.now() > until) return false
      await delay(lookEvery)
    }
  }

  async #followed(): Promise<Followed> {
    const { session, fence, sessionId, command } = this.#request
    const record = this.#record()
    if (record === null) return followedBy('none')
    const transcript = await this.#transcript()
    const forkedAt = this.#host.records.forkedAt(session, sessionId)
    const tail = transcript === null ? null : await this.#adapter.readTail(transcript, record.from, forkedAt)
    const { entered, commands } = tail ?? { entered: [], commands: [] }
    if (command === true && commands.length > 0)
      return followedBy('same', { refusal: commands[0]?.refusal ?? null })
    if (entered.some((said) => this.#adapter.fingerprint(said) === record.print)) return followedBy('same')
    if (record.enteredAt === null) return followedBy('none')
    // What was said between two typings is older than the second, and proves nothing of it.
    const since = transcript ? await this.#adapter.readTail(transcript, record.mark, forkedAt) : null
    const blocked = record.entered > 0 ? since?.blocked[0] : undefined
    if (blocked !== undefined) return followedBy('none', { blocked: blocked.reason })
    const isReported = this.#sampler.submittedSince(session, fence, record.enteredAt)
    return followedBy(isReported || (since?.entered.length ?? 0) > 0 ? 'another' : 'none')
  }

  /** The program has put the text back into its input line, where a later one would find it for a person's draft. */
  async #refused(pane: Pane, reason: string): Promise<Error> {
    await this.#untilLine(pane, (draft) => draft !== null)
    const { line } = await this.#line(pane, await this.#host.tmux.lastKeyAt(pane.session))
    if (line === 'ours') await clearLine(this.#host, this.#adapter, pane)
    return this.#what === 'command' ? commandRefused(hookRefusal(reason)) : textRefused(reason)
  }

  /** What is noted of this text; what was typed to a process before and was not followed died with it. */
  #record(): DeliveryRecord | null {
    const { session, fence, messageId, sessionId } = this.#request
    const known = this.#host.records.delivery(session, messageId, sessionId)
    return known === null || known.fence === fence ? known : untyped(known, fence)
  }

  #save(record: DeliveryRecord): void {
    this.#host.records.saveDelivery(this.#request.session, this.#request.messageId, record)
  }

  /** A command is over when the agent is at rest in a look that came after it. */
  async #untilOver(): Promise<void> {
    await delay(this.#host.config.timing.lookEvery, undefined, { signal: this.#signal })
    await this.#untilTakes()
  }

  #untilTakes(): Promise<boolean> {
    const { session, fence } = this.#request
    return this.#sampler.untilTakes(this.#what, session, fence, this.#signal, () =>
      this.#host.records.inTurn(session, () => this.#refusePanel()),
    )
  }

  async #transcript(): Promise<string | null> {
    const { place, sessionId } = this.#request
    return this.#adapter.findTranscript(await this.#host.place(place), sessionId)
  }

  async #transcriptSize(): Promise<number> {
    const transcript = await this.#transcript()
    return transcript === null ? 0 : statSync(transcript).size
  }
}
