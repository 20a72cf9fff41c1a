/** The guard that ends every test of a whole fleet: law 13 says that each text arrives once, law 6 that no idle agent is told to go on. */
import { expect, it } from 'vitest'
import type { OutpoolEvent } from '../../config/events/schema.js'
import type { RecordedRequest } from '../../lab/standin/requests.js'
import { unexplainedTurns } from '../../lab/turnGuard.js'
import { retryText } from '../../workflows/session/continuationPrompt.js'

const request = (...prompts: string[]): RecordedRequest => ({
  ...{ n: 1, at: '2026-11-30T00:00:00Z', method: 'POST', path: '/v1/messages', headers: {}, kind: 'turn' },
  ...{ account: 'max-1', credential: 'oauth', sessionId: 's', subagent: false, model: null, stream: true },
  messages: prompts.flatMap((content) => [
    { role: 'user', content },
    { role: 'assistant', content: 'An answer.' },
  ]),
  ...{ system: '', tools: [], turn: prompts.length, outcome: 'answered' },
})
const started: OutpoolEvent = {
  ...{ v: 1, id: 'session/s/1', at: '2026-11-30T00:00:00Z', host: 'h', kind: 'session-started' },
  ...{ session: 's', place: 'max-1', agent: 'claude-code', model: null, why: '', ms: 1 },
}

it('law 13: a text that stands twice in a conversation is a fault, unless the test has sent it twice', () => {
  const requests = [request('Hello.'), request('Hello.', 'Go on.', 'Go on.')]
  expect(unexplainedTurns(requests, [], null)).toEqual(['s was given 2 times: Go on.'])
  expect(unexplainedTurns(requests, [], /^Go on/)).toEqual([])
})

it('law 6: each continuation has an event that explains it', () => {
  const once = [request('Hello.', retryText)]
  expect(unexplainedTurns(once, [started], null)).toEqual([])
  expect(unexplainedTurns(once, [], null)).toHaveLength(1)
})
