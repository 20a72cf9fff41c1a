/** For `outpool usage`: the tokens of every answer that the sessions of this host got, from their transcripts. */
import { readdirSync } from 'node:fs'
import type { AgentAdapter } from '../agents/adapter/adapter.js'
import type { Config } from '../config/config.js'
import { EventReader } from '../config/events/files.js'
import type { Home } from '../config/state/home.js'
import { Host } from '../host/host.js'
import { type AnswerCopy, type Arrival, countedAnswers } from '../policy/account/usage.js'
import { namePattern } from '../policy/ids.js'

/** Prints an array of sums as JSON, one for each session, place, day and model. `since`: ms since the epoch. */
export async function printUsage(home: Home, config: Config, since: number): Promise<void> {
  const host = new Host(home, config)
  const copies: AnswerCopy[] = []
  for (const session of sessionsOf(home)) copies.push(...(await copiesOf(host, session)))
  const sums = new Map<string, ReturnType<typeof emptySum>>()
  for (const answer of countedAnswers(copies, arrivalsOf(home))) {
    if (Date.parse(answer.at) < since) continue
    const { session, place, model } = answer
    const day = localDay(answer.at)
    const key = JSON.stringify([session, place, day, model])
    const sum = sums.get(key) ?? emptySum(session, place, day, model)
    sum.answers += 1
    for (const part of ['input', 'output', 'cacheRead', 'cacheWrite'] as const) sum[part] += answer[part]
    sums.set(key, sum)
  }
  process.stdout.write(`${JSON.stringify([...sums.values()])}\n`)
}

const emptySum = (session: string, account: string, day: string, model: string) => ({
  ...{ session, account, day, model, answers: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
})

/** In the time zone of the person, as the dates of all commands. */
function localDay(at: string): string {
  const date = new Date(at)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

function sessionsOf(home: Home): string[] {
  return readdirSync(home.sessions).filter((name) => namePattern.test(name))
}

/** Every copy of its conversations, forks included, at every place. */
async function copiesOf(host: Host, session: string): Promise<AnswerCopy[]> {
  const conversations = host.records.conversations(session)
  if (conversations === null) return []
  const adapter = host.adapter(conversations.agent)
  const copies: AnswerCopy[] = []
  for (const place of host.allPlaces())
    for (const id of conversations.ids) {
      const transcript = await adapter.findTranscript(place, id)
      if (transcript !== null) copies.push(...(await answersIn(adapter, transcript, session, place.name)))
    }
  return copies
}

async function answersIn(
  adapter: AgentAdapter,
  transcript: string,
  session: string,
  place: string,
): Promise<AnswerCopy[]> {
  const files = await adapter.readTokenUsage(transcript, {})
  const used = files.flatMap((file) => file.used)
  return used.map((answer) => ({ ...answer, session, place, copyLength: used.length }))
}

/** When each session came to which place, oldest first. */
function arrivalsOf(home: Home): Arrival[] {
  const kinds = ['"session-started"', '"session-moved"']
  return new EventReader(home, { anyOf: kinds }).next().flatMap((event): Arrival[] => {
    if (event.kind === 'session-started')
      return [{ session: event.session, place: event.place, at: event.at }]
    return event.kind === 'session-moved' ? [{ session: event.session, place: event.to, at: event.at }] : []
  })
}
