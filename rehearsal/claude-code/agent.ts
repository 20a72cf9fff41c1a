/** One agent under test: the installed program in a pane, used as Outpool uses it, against the stand-in. */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Dialog } from '../../agents/adapter/dialogs.js'
import type { LaunchInput } from '../../agents/adapter/launch.js'
import type { AgentReport, LiveState } from '../../agents/adapter/liveness.js'
import type { Place } from '../../agents/adapter/place.js'
import type { TranscriptTail } from '../../agents/adapter/transcript.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { type Pane, type PaneHarness, until } from '../../lab/paneHarness.js'
import type { RecordedRequest } from '../../lab/standin/requests.js'
import { Unexpected } from '../checks.js'

/** A screen that has not changed for so long is finished. The program does not listen from its first picture on. */
const settledAfter = 300
/** An Enter right after a paste is taken as a part of it, and one that was lost is pressed again. */
const enterEvery = 700

/** Each press deletes about one line, and a busy machine takes long to show the screen. */
const clearsPerLook = 10

const isBusy = (screen: string): boolean => /esc to interrupt/.test(screen)

export class Agent {
  readonly harness: PaneHarness
  readonly input: LaunchInput
  readonly pane: Pane

  private constructor(harness: PaneHarness, input: LaunchInput, pane: Pane) {
    this.harness = harness
    this.input = input
    this.pane = pane
  }

  /** `session` names its reports; `fence` counts its launches. */
  static async launch(
    harness: PaneHarness,
    place: Place,
    more: Partial<LaunchInput> & { session: string },
    args: readonly string[] = [],
    { prepared = true } = {},
  ): Promise<Agent> {
    const fence = more.fence ?? 1
    const sessionId = more.sessionId ?? randomUUID()
    const launchDir = `${harness.dir}/launch-${more.session}-${fence}`
    const input = harness.input(place, { launchDir, fence, ...more, sessionId })
    input.command.args.push(...args)
    const pane = await (prepared ? harness.launch(input) : harness.launchUnprepared(input))
    return new Agent(harness, input, pane)
  }

  get sessionId(): string {
    return this.input.sessionId
  }

  until<T>(what: string, read: () => Promise<T | null> | T | null): Promise<T> {
    return until(what, read, this.harness.patience)
  }

  /** The steps of its conversation, those of subagents apart. */
  turns(): RecordedRequest[] {
    return this.harness.world.standIn.requests({ kind: 'turn', sessionId: this.sessionId, subagent: false })
  }

  /** The request of the newest turn, once it has been answered and the program rests. */
  async answered(count: number): Promise<RecordedRequest> {
    const request = await this.until(`the answer to request ${count}`, async () => {
      const one = this.turns()[count - 1]
      if (one !== undefined && one.outcome !== 'pending' && one.outcome !== 'hanging') return one
      const dialog = claudeCode.readDialog(await this.pane.screen(), this.input.cwd)
      if (dialog !== null) throw new Unexpected(`it asks ${dialog.prompt}`)
      return null
    })
    await this.atRest()
    return request
  }

  /** Waits until its screen is finished, and takes a text. */
  async atRest(): Promise<string> {
    return this.until('the input line', async () => {
      const screen = await this.pane.screen()
      if (!claudeCode.takesInput(screen) || isBusy(screen)) return null
      await wait(settledAfter)
      return (await this.pane.screen()) === screen ? screen : null
    })
  }

  dialog(name: string): Promise<Dialog> {
    return this.until(`the dialog ${name}`, async () => {
      const dialog = claudeCode.readDialog(await this.pane.screen(), this.input.cwd)
      if (dialog !== null && dialog.name !== name) throw new Unexpected(`it asks ${dialog.prompt}`)
      return dialog
    })
  }

  /** Presses the keys that the adapter gives for the open dialog until it is gone. */
  async passDialog(): Promise<void> {
    let before = ''
    await this.until('the dialog to close', async () => {
      const screen = await this.pane.screen()
      const dialog = claudeCode.readDialog(screen, this.input.cwd)
      if (dialog === null) return true
      if (screen === before) await this.pane.keys(...(dialog.safeKeys ?? ['Escape']))
      before = screen
      await wait(settledAfter)
      return null
    })
  }

  /** Pastes a text for the model and submits it. */
  say(text: string): Promise<void> {
    return this.submit(claudeCode.toPaste(text, 'words'))
  }

  command(text: string): Promise<void> {
    return this.submit(claudeCode.toPaste(text, 'command'))
  }

  async submit(pasted: string): Promise<void> {
    const draft = await this.draft(pasted)
    await this.until('the text to be taken', async () => {
      await this.pane.keys('Enter')
      await wait(enterEvery)
      // A stashed draft comes back as soon as another one was submitted.
      return claudeCode.readDraft(await this.pane.screen()) === draft ? null : true
    })
  }

  /** Pastes a text and leaves it in the input line. */
  async draft(pasted: string): Promise<string> {
    await this.pane.paste(pasted)
    const draft = await this.until('the draft', async () => claudeCode.readDraft(await this.pane.screen()))
    await wait(settledAfter)
    return draft
  }

  async clearDraft(): Promise<void> {
    await this.until('an empty input line', async () => {
      if (claudeCode.readDraft(await this.pane.screen()) === null) return true
      await this.pane.keys(...Array.from({ length: clearsPerLook }, () => claudeCode.clearDraftKeys).flat())
      return null
    })
  }

  transcript(): Promise<string> {
    const { place } = this.input
    return this.until('the transcript', () => claudeCode.findTranscript(place, this.sessionId))
  }

  /** The transcript, once it is as wanted. */
  async tail(wanted: (tail: TranscriptTail) => boolean): Promise<TranscriptTail> {
    const file = await this.transcript()
    return this.until('the entries', async () => {
      const tail = await claudeCode.readTail(file, 0)
      return wanted(tail) ? tail : null
    })
  }

  live(wanted: (state: LiveState) => boolean): Promise<LiveState> {
    return this.until('the live state', async () => {
      const states = await claudeCode.readLiveStates(this.input.place)
      return states.find((state) => state.sessionId === this.sessionId && wanted(state)) ?? null
    })
  }

  reports<K extends AgentReport['kind']>(kind: K): Extract<AgentReport, { kind: K }>[] {
    const { session, fence } = this.input
    return this.harness
      .reports()
      .filter((report): report is Extract<AgentReport, { kind: K }> => report.kind === kind)
      .filter((report) => report.session === session && report.fence === fence)
  }

  report<K extends AgentReport['kind']>(
    kind: K,
    wanted: (report: Extract<AgentReport, { kind: K }>) => boolean = () => true,
  ): Promise<Extract<AgentReport, { kind: K }>> {
    return this.until(`a report: ${kind}`, () => this.reports(kind).findLast(wanted) ?? null)
  }

  end(): Promise<void> {
    return this.pane.end()
  }
}
