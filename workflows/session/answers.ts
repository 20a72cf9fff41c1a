/** The update `answer`: a person answers the agent's question from outside its pane. */
import { ActivityFailure, setHandler, uuid4 } from '@temporalio/workflow'
import { type AnswerArgs, type AnswerResult, sessionUpdates } from '../messages.js'
import { answersOn } from '../proxies.js'
import type { AnswerRequest } from '../../activities/contracts.js'
import { failureOf } from '../stepFailures.js'
import { currentRef, type SessionContext } from './context.js'
import { isUp } from './state.js'

export function handleAnswers(ctx: SessionContext): void {
  setHandler(sessionUpdates.answer, (args) => answer(ctx, args))
}

async function answer({ state }: SessionContext, { answer, digest }: AnswerArgs): Promise<AnswerResult> {
  const question = digest ?? (state.waiting?.endsWith === 'dialog' ? (state.waiting.digest ?? null) : null)
  if (question === null || !isUp(state))
    return { result: 'gone', why: 'the agent asks nothing that can be answered from here' }
  const request: AnswerRequest = { ...currentRef(state), answerId: uuid4(), digest: question, answer }
  const { answerQuestion } = answersOn(state.host)
  try {
    const summary = 'a person answers the question'
    const outcome = await answerQuestion.executeWithOptions({ summary }, [request])
    if (outcome.kind === 'gone') return { result: 'gone', why: 'the agent no longer asks that question' }
    return { result: outcome.kind, why: 'why' in outcome ? outcome.why : null }
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    return { result: 'unsure', why: failureOf(error).message }
  }
}
