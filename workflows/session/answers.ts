/** A person's answer to what the agent asks, from outside its pane. */
import { ActivityFailure, setHandler, uuid4 } from '@temporalio/workflow'
import { type AnswerArgs, type AnswerResult, sessionUpdates } from '../messages.js'
import { answersOn } from '../proxies.js'
import { currentRef, type Run } from './context.js'
import { faultOf } from './move.js'
import { isUp } from './state.js'

export function takeAnswers(run: Run): void {
  const update = sessionUpdates.answer
  setHandler(update, (args) => answer(run, args))
}

async function answer({ state }: Run, { answer, digest }: AnswerArgs): Promise<AnswerResult> {
  const asked = digest ?? (state.waiting?.endsWith === 'dialog' ? (state.waiting.digest ?? null) : null)
  if (asked === null || !isUp(state))
    return { result: 'gone', why: 'it asks nothing that can be answered from here' }
  const request = { ...currentRef(state), answerId: uuid4(), digest: asked, answer }
  const { answerQuestion } = answersOn(state.host)
  try {
    const summary = 'a person answers what it asks'
    const given = await answerQuestion.executeWithOptions({ summary }, [request])
    if (given.kind === 'gone') return { result: 'gone', why: 'that question no longer stands' }
    return { result: given.kind, why: 'why' in given ? given.why : null }
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    return { result: 'unsure', why: faultOf(error).message }
  }
}
