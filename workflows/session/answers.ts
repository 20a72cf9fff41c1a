/** A person's answer to what the agent asks, from outside its pane. */
import { ActivityFailure, setHandler, uuid4 } from '@temporalio/workflow'
import { type AnswerArgs, type AnswerResult, sessionUpdates } from '../messages.js'
import { answersOn } from '../proxies.js'
import { currentRef, type SessionContext } from './context.js'
import { moveFailureOf } from './move.js'
import { isUp } from './state.js'

export function handleAnswers(ctx: SessionContext): void {
  const update = sessionUpdates.answer
  setHandler(update, (args) => answer(ctx, args))
}

async function answer({ state }: SessionContext, { answer, digest }: AnswerArgs): Promise<AnswerResult> {
  const question = digest ?? (state.waiting?.endsWith === 'dialog' ? (state.waiting.digest ?? null) : null)
  if (question === null || !isUp(state))
    return { result: 'gone', why: 'it asks nothing that can be answered from here' }
  const request = { ...currentRef(state), answerId: uuid4(), digest: question, answer }
  const { answerQuestion } = answersOn(state.host)
  try {
    const summary = 'a person answers what it asks'
    const outcome = await answerQuestion.executeWithOptions({ summary }, [request])
    if (outcome.kind === 'gone') return { result: 'gone', why: 'that question no longer stands' }
    return { result: outcome.kind, why: 'why' in outcome ? outcome.why : null }
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    return { result: 'unsure', why: moveFailureOf(error).message }
  }
}
