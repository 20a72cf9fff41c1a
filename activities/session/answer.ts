/** Gives a person's answer to the question on the agent's screen: only to the question it is for, and only once. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readOwnFile } from '../../config/state/ownFile.js'
import type { Question } from '../../policy/session/question.js'
import { questionDigest } from './askedQuestion.js'
import type { AnswerResult, AnswerRequest } from '../contracts.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'

/** The screen changes right after a key press; on a busy machine it may take a moment. */
const shownWithin = 5_000
const pollEvery = 50
/** Each tick and each tab takes one key; no question needs more. */
const maxKeys = 20

interface QuestionOnScreen {
  question: Question | null
  digest: string | null
}

export async function answerQuestion(host: Host, request: AnswerRequest): Promise<AnswerResult> {
  return host.records.runExclusive(request.session, () => answer(host, request))
}

async function answer(host: Host, request: AnswerRequest): Promise<AnswerResult> {
  const { session, fence, digest, answerId } = request
  const adapter = host.adapter(request.agent)
  const pane = await host.tmux.pane(session)
  if (pane === null || pane.dead || pane.fence !== fence) return { kind: 'gone' }
  const readQuestion = async (): Promise<QuestionOnScreen> => {
    const question = adapter.readDialog(await host.tmux.screen(pane.id))?.question ?? null
    if (question === null) return { question, digest: null }
    const [state] = await adapter.readLiveStates(host.readablePlace(request.place), { pids: [pane.pid] })
    return {
      question,
      digest: questionDigest(question, state ?? { sessionId: request.sessionId, updatedAt: '' }),
    }
  }
  const attemptFile = join(host.records.folder(session), 'answering')
  let page = await readQuestion()
  // An earlier attempt may have pressed the last key.
  if (page.digest !== digest)
    return wasAttempted(attemptFile, answerId) ? { kind: 'answered' } : { kind: 'gone' }
  let hasPasted = false
  try {
    for (let keys = 0; keys < maxKeys; keys++) {
      if (page.question === null || page.digest !== digest) {
        await submitReview(page, (next) => host.tmux.press(pane.id, next))
        return { kind: 'answered' }
      }
      const step = adapter.nextAnswerStep(page.question, request.answer, hasPasted)
      if (step.kind === 'refused') return step
      writeFileAtomic(attemptFile, answerId)
      if (step.kind === 'paste') await host.tmux.paste(pane.id, oneLine(step.text))
      else await host.tmux.press(pane.id, step.keys)
      hasPasted ||= step.kind === 'paste'
      const shown = await untilChanged(page, readQuestion)
      if (shown === null) return { kind: 'unsure', why: 'its screen did not change after a key was pressed' }
      page = shown
    }
    return { kind: 'unsure', why: `it is still open after ${maxKeys} keys` }
  } finally {
    rmSync(attemptFile, { force: true })
  }
}

/** If all questions of one dialog are answered, only its review page is left: submits it. */
async function submitReview(
  { question }: QuestionOnScreen,
  press: (keys: string[]) => Promise<void>,
): Promise<void> {
  const submit = question?.isReview === true && question.isAllAnswered ? question.choices[0] : undefined
  if (submit !== undefined) await press([submit.isHighlighted ? 'Enter' : String(submit.n)])
}

async function untilChanged(
  before: QuestionOnScreen,
  readQuestion: () => Promise<QuestionOnScreen>,
): Promise<QuestionOnScreen | null> {
  const until = performance.now() + shownWithin
  const shownBefore = JSON.stringify(before)
  do {
    await delay(pollEvery)
    const page = await readQuestion()
    if (JSON.stringify(page) !== shownBefore) return page
  } while (performance.now() < until)
  return null
}

/** The answer field has one line; a line break would submit it. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim()

function wasAttempted(attemptFile: string, answerId: string): boolean {
  try {
    return readOwnFile(attemptFile) === answerId
  } catch {
    return false
  }
}
