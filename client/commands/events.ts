/** `outpool events`: what happened on this host, from its own files, so that it needs no engine and no worker. */
import { setTimeout as delay } from 'node:timers/promises'
import { EventReader } from '../../config/events/files.js'
import { type EventKind, eventKinds, type OutpoolEvent } from '../../config/events/schema.js'
import { openHome } from '../../config/state/home.js'
import { type CommandContext, print, printJsonLine } from '../commandContext.js'
import { UsageError } from '../errors.js'
import { eventLine, isAboutSession, sinceOf } from '../output/events.js'

const pollEvery = 250

export async function events(context: CommandContext): Promise<void> {
  const { isWanted, since, words } = filterOf(context)
  const show = (event: OutpoolEvent): void =>
    context.json ? printJsonLine(event) : print(eventLine(event, context.colors, new Date()))
  const reader = new EventReader(openHome(), { since, words })
  for (;;) {
    for (const event of reader.next()) if (isWanted(event)) show(event)
    if (!context.flag('follow')) return
    await delay(pollEvery)
  }
}

interface Filter {
  isWanted: (event: OutpoolEvent) => boolean
  /** Milliseconds since the epoch. */
  since: number
  /** The line of each wanted event has them all. */
  words: string[]
}

/** Throws UsageError. */
function filterOf(context: CommandContext): Filter {
  const given = context.option('since')
  const since = given === null ? -Infinity : sinceOf(given, new Date())
  const kind = kindOf(context.option('kind'))
  const [session, account] = [context.option('session'), context.option('account')]
  return {
    since,
    words: [kind, session, account].flatMap((word) => (word === null ? [] : [JSON.stringify(word)])),
    isWanted: (event) =>
      Date.parse(event.at) >= since &&
      (kind === null || event.kind === kind) &&
      (session === null || isAboutSession(event, session)) &&
      (account === null || isAboutAccount(event, account)),
  }
}

function kindOf(given: string | null): EventKind | null {
  const known = eventKinds.find((kind) => kind === given) ?? null
  if (given === null || known !== null) return known
  throw new UsageError(
    `there is no event of kind ${JSON.stringify(given)}`,
    `kinds: ${eventKinds.join(', ')}`,
  )
}

function isAboutAccount(event: OutpoolEvent, name: string): boolean {
  const places = [
    'account' in event ? event.account : null,
    'from' in event ? event.from : null,
    'to' in event ? event.to : null,
    'place' in event ? event.place : null,
  ]
  return places.includes(name)
}
