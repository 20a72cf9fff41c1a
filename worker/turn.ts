/** For `outpool send --wait` and `outpool wait`: how a conversation of this host stands, from its newest transcript. */
import type { Config } from '../config/config.js'
import type { Home } from '../config/state/home.js'
import { Host } from '../host/host.js'

export interface TurnQuestion {
  agent: string
  /** The id of the conversation. */
  conversation: string
}

/** Prints `{ turn, answer: { text, at } | null }` as JSON: whether a turn is under way, and the newest answer. */
export async function printTurn(home: Home, config: Config, question: TurnQuestion): Promise<void> {
  const host = new Host(home, config)
  const adapter = host.adapter(question.agent)
  const transcript = (await host.newestTranscript(adapter, question.conversation))?.path ?? null
  const end = transcript === null ? null : await adapter.readEnd(transcript)
  const answer = transcript === null ? null : await adapter.readLastAnswer(transcript, 0).catch(() => null)
  process.stdout.write(`${JSON.stringify({ turn: end?.turn ?? null, answer })}\n`)
}
