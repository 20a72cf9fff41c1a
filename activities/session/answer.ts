/** Gives a person's answer to the question that stands on the agent's screen: to that one only, and once. */
import { rmSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Question } from '../../policy/session/question.js'
import { digestOf } from './askedQuestion.js'
import type { Answered, AnswerRequest } from '../contracts.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'

/** A key shows on the screen at once, on a busy machine after a moment. */
const shownWithin = 5_000
const lookEvery = 50
/** Ticks and tabs take a key each; no question needs more. */
const keysMax = 20

interface Page {
  question: Question | null
  digest: string | null
}

export async function answerQuestion(host: Host, request: AnswerRequest): Promise<Answered> {
  return host.records.inTurn(request.session, () => answer(host, request))
}

async function answer(host: Host, request: AnswerRequest): Promise<Answered> {
  const { session, fence, digest, answerId } = request
  const adapter = host.adapter(request.agent)
  const pane = await host.tmux.pane(session)
  if (pane === null || pane.dead || pane.fence !== fence) return { kind: 'gone' }
  const look = async (): Promise<Page> => {
    const question = adapter.readDialog(await host.tmux.screen(pane.id))?.question ?? null
    if (question === null) return { question, digest: null }
    const [state] = await adapter.readLiveStates(host.files(request.place), { pids: [pane.pid] })
    return { question, digest: digestOf(question, state ?? { sessionId: request.sessionId, updatedAt: '' }) }
  }
  const note = join(host.records.folder(session), 'answering')
  let page = await look()
  // An attempt before this one may have pressed the last key.
  if (page.digest !== digest) return wasPressed(note, answerId) ? { kind: 'answered' } : { kind: 'gone' }
  let pasted = false
  try {
    for (let keys = 0; keys < keysMax; keys++) {
      if (page.question === null || page.digest !== digest) {
        await handIn(page, (next) => host.tmux.press(pane.id, next))
        return { kind: 'answered' }
      }
      const step = adapter.nextAnswerStep(page.question, request.answer, pasted)
      if (step.kind === 'refused') return step
      writeFileAtomic(note, answerId)
      if (step.kind === 'paste') await host.tmux.paste(pane.id, oneLine(step.text))
      else await host.tmux.press(pane.id, step.keys)
      pasted ||= step.kind === 'paste'
      const shown = await changed(page, look)
      if (shown === null) return { kind: 'unsure', why: 'its screen did not change after a key was pressed' }
      page = shown
    }
    return { kind: 'unsure', why: `it still stands after ${keysMax} keys` }
  } finally {
    rmSync(note, { force: true })
  }
}

/** Where all questions that were asked together are answered, nothing is left to be decided. */
async function handIn({ question }: Page, press: (keys: string[]) => Promise<void>): Promise<void> {
  const submit = question?.isReview === true && question.isAllAnswered ? question.choices[0] : undefined
  if (submit !== undefined) await press([submit.isChosen ? 'Enter' : String(submit.n)])
}

async function changed(before: Page, look: () => Promise<Page>): Promise<Page | null> {
  const until = performance.now() + shownWithin
  const shownBefore = JSON.stringify(before)
  do {
    await delay(lookEvery)
    const page = await look()
    if (JSON.stringify(page) !== shownBefore) return page
  } while (performance.now() < until)
  return null
}

/** Its input line has one line; a line break in it would be taken for the end. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim()

function wasPressed(note: string, answerId: string): boolean {
  try {
    return readFileSync(note, 'utf8') === answerId
  } catch {
    return false
  }
}
