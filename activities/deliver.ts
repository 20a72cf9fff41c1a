/** Types a text into the agent, exactly once: what the conversation already holds is not typed again. */
import { statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { DeliverRequest } from './contracts.js'
import { conversationChanged, staleFence } from './errors.js'
import type { Host } from './host.js'
import type { Sampler } from './sampler.js'
import { dropText, putDraftAside, readText, restoreDraft } from './typed.js'

/** Between pasting a text and sending it: Enter that comes with the paste is taken as part of it. */
const pasteSettle = 150
/** How long a sent text may take to show in the conversation before Enter is pressed again. */
const takenWithin = 3_000
const lookEvery = 100

type Delivery = DeliverRequest & { text: string }

export async function deliverText(host: Host, sampler: Sampler, asked: DeliverRequest): Promise<void> {
  const { session, messageId } = asked
  const text = asked.text ?? readText(host, session, messageId)
  // One that was typed here is dropped when it was taken.
  if (text === null) return
  await deliver(host, sampler, { ...asked, text })
  if (asked.text === null) dropText(host, session, messageId)
}

async function deliver(host: Host, sampler: Sampler, request: Delivery): Promise<void> {
  const { session, fence } = request
  const context = Context.current()
  for (;;) {
    const now = host.records.launch(session, fence)?.sessionId ?? request.sessionId
    if (now !== request.sessionId) throw conversationChanged(session, now)
    if (await wasTaken(host, request)) return
    const ready = await sampler.untilIdle(session, fence, context.cancellationSignal)
    if (!ready) throw staleFence(session, fence, host.records.newest(session)?.fence ?? fence)
    if (await host.records.inTurn(session, () => typeOnce(host, sampler, request))) return
    await delay(lookEvery, undefined, { signal: context.cancellationSignal })
  }
}

/** True when the text is in the conversation. Nothing is typed while a person is typing; what they left is there again after. */
async function typeOnce(host: Host, sampler: Sampler, request: Delivery): Promise<boolean> {
  const { session, fence, messageId, text } = request
  const pane = await host.tmux.pane(session)
  if (!pane || pane.dead || pane.fence !== fence || sampler.phase(session, fence) !== 'idle') return false
  const lastKey = await host.tmux.lastKeyAt(session)
  if (lastKey !== null && Date.now() - lastKey < host.config.timing.keysQuiet) return false
  const adapter = host.adapter(request.agent)
  const draft = adapter.readDraft(await host.tmux.colouredScreen(pane.id))
  const pasted = host.records.deliveryFrom(session, messageId) !== null
  // After a crash in the middle, our own text may stand in the input line: it only needs to be sent.
  const isOurs = draft !== null && pasted && isSameDraft(draft, text)
  if (draft !== null && !isOurs && !(await putDraftAside(host, adapter, pane))) return false
  if (!pasted) host.records.saveDelivery(session, messageId, await transcriptSize(host, request))
  if (!isOurs) {
    await host.tmux.paste(pane.id, text)
    await delay(pasteSettle)
  }
  await host.tmux.press(pane.id, ['Enter'])
  const until = performance.now() + takenWithin
  do {
    if (await wasTaken(host, request)) {
      await restoreDraft(host, adapter, session, pane.id)
      return true
    }
    await delay(lookEvery)
  } while (performance.now() < until)
  return false
}

async function wasTaken(host: Host, request: Delivery): Promise<boolean> {
  const from = host.records.deliveryFrom(request.session, request.messageId)
  if (from === null) return false
  const transcript = await transcriptOf(host, request)
  if (transcript === null) return false
  const forkedAt = host.records.forkedAt(request.session, request.sessionId)
  const { prompts } = await host.adapter(request.agent).readTail(transcript, from, forkedAt)
  return prompts.some((prompt) => prompt.trim() === request.text.trim())
}

async function transcriptOf(host: Host, request: DeliverRequest): Promise<string | null> {
  return host.adapter(request.agent).findTranscript(await host.place(request.place), request.sessionId)
}

async function transcriptSize(host: Host, request: DeliverRequest): Promise<number> {
  const transcript = await transcriptOf(host, request)
  return transcript === null ? 0 : statSync(transcript).size
}

/** The input line folds and shortens what was pasted, so only the beginning can be compared. */
function isSameDraft(draft: string, text: string): boolean {
  const squeeze = (words: string): string => words.replaceAll(/\s+/g, ' ').trim()
  const start = squeeze(draft).slice(0, 40)
  return squeeze(text).startsWith(start) || /^\[Pasted text/.test(start)
}
