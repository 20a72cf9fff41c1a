/**
 * What has to be true at the end, read from the requests that reached the API; the agent's screen proves
 * nothing.
 */
import { type RecordedRequest, textOf } from '../lab/standin/requests.js'

type Message = RecordedRequest['messages'][number]

/** The messages, without the reminders that the agent program adds again in each request. */
const contentText = ({ content }: Message): string =>
  textOf(content)
    .replaceAll(/<system-reminder>[\s\S]*?<\/system-reminder>/g, '')
    .trim()

const spoken = (request: RecordedRequest): Message[] =>
  request.messages.filter(({ role }) => role !== 'system')

export interface ConversationComparison {
  /** Messages of the request that met the wall. */
  earlier: number
  /** How many of them are in the first request on the other account, word for word and in order. */
  kept: number
  sameConversation: boolean
}

export function compare(walled: RecordedRequest, resumed: RecordedRequest): ConversationComparison {
  const after = spoken(resumed)
  const before = spoken(walled)
  const kept = before.filter((message, index) => {
    const now = after[index]
    // The prompt to go on may be in one message with what came before it.
    return now?.role === message.role && contentText(now).startsWith(contentText(message))
  })
  const sameConversation = walled.sessionId !== null && walled.sessionId === resumed.sessionId
  return { earlier: before.length, kept: kept.length, sameConversation }
}

/** Whether the test that the agent ran in its pane passed, as it reported to the API. */
export function testPassed(last: RecordedRequest): boolean {
  return spoken(last).some(({ role, content }) => role === 'user' && /\bpass 1\b/.test(textOf(content)))
}
