/** The end of the demonstration: what happened, when, and how to do the same with real logins. */
import { sessionWorkflowId } from '../policy/ids.js'
import { bin, isClone, shortPath } from './programs.js'
import type { Screen } from './screen.js'
import { accounts, session, type DemoResult } from './story.js'

interface Row {
  at: number
  text: string
}

/** Every time is measured where the event happened: at the API, or in the session's history in Temporal. */
function rowsOf({ walled, resumed, rescue, moments, carried }: DemoResult): Row[] {
  const [first, second] = accounts
  const wallAt = Date.parse(walled.at)
  const later = moments.filter(({ at }) => at >= wallAt)
  const done = (step: string): number | null =>
    later.find((moment) => moment.kind === 'done' && moment.step === step)?.at ?? null
  const leased =
    later.find((moment) => moment.kind === 'signal' && moment.name === 'leaseGranted')?.at ?? null
  const launching = later.find((moment) => moment.kind === 'began' && moment.step === 'launchAgent')
  const carry = rescue.steps.find(({ name }) => name === 'carry')
  // The launch begins with it.
  const carriedAt = launching && carry ? launching.at + carry.ms : null
  const rows: [number | null, string][] = [
    [wallAt, `the API refuses a request on ${first}`],
    [
      done('watchAgent'),
      `Outpool has read the proof: ${rescue.wall?.kind ?? '?'}, ${rescue.wall?.scope ?? '?'}`,
    ],
    [leased, `the pool leases ${second}: ${whyOf(rescue)}`],
    [done('stopAgent'), `the old process is gone`],
    [carriedAt, 'the conversation is carried over, and compared'],
    [Date.parse(resumed.at), `the next request, on ${second}, with ${carried.kept} earlier messages`],
    [done('launchAgent'), 'proven alive: same conversation, other account'],
  ]
  return rows
    .flatMap(([at, text]) => (at === null ? [] : [{ at, text }]))
    .toSorted((one, other) => one.at - other.at)
}

/** `80 % of seven_day left`, out of `max-2: 80 % of seven_day left, resets Nov 25 11:43`. */
const whyOf = ({ result }: DemoResult['rescue']): string =>
  (result ?? '').replace(/^[\w-]+: /, '').split(',')[0] ?? ''

/** Whether everything that the demonstration promises is true. */
export const isProven = ({ carried, rescue }: DemoResult): boolean =>
  carried.sameConversation &&
  carried.earlier > 0 &&
  carried.kept === carried.earlier &&
  rescue.to === accounts[1]

export function summarise(result: DemoResult, screen: Screen): void {
  const { carried, rescue, walled } = result
  screen.heading('What happened')
  const rows = rowsOf(result)
  const begin = rows[0]?.at ?? 0
  for (const { at, text } of rows)
    screen.line(`${`${((at - begin) / 1000).toFixed(2)} s`.padStart(9)}  ${text}`)
  screen.line()
  const verdict = carried.kept === carried.earlier ? screen.colors.green : screen.colors.red
  screen.more(
    verdict(`${carried.kept} of ${carried.earlier} earlier messages`) +
      ` were word for word in the first request on ${rescue.to ?? 'no account'}; ` +
      `the conversation's id is ${carried.sameConversation ? 'the same' : 'ANOTHER ONE'}:`,
  )
  screen.more(walled.sessionId ?? 'none')
}

/** The same with a person's own logins. */
export function explain(screen: Screen): void {
  screen.heading('With your own logins')
  const lines = [
    'CLAUDE_CONFIG_DIR=~/.claude-max-1 claude   # log in, once per account',
    'CLAUDE_CONFIG_DIR=~/.claude-max-2 claude',
    ...(isClone ? ['npm link                                   # puts `outpool` on your PATH'] : []),
    'outpool init                               # finds them, writes outpool.yaml',
    'outpool up                                 # leave it running',
    'outpool start docs --cwd ~/docs -- "Bring the guide up to date"',
    'outpool attach docs                        # and: ls, show, accounts, send',
  ]
  for (const line of lines) screen.line(`  ${line}`)
}

export function keepNote(
  screen: Screen,
  engine: { home: string; uiUrl: string | null; namespace: string },
): void {
  const id = encodeURIComponent(sessionWorkflowId(session))
  screen.heading('Left running')
  const lines = [
    ...(engine.uiUrl === null ? [] : [`${engine.uiUrl}/namespaces/${engine.namespace}/workflows/${id}`]),
    `export OUTPOOL_HOME=${engine.home}`,
    `node ${shortPath(bin)} attach ${session}    # the agent itself; leave with Ctrl-b d`,
    `node ${shortPath(bin)} show ${session}      # and: ls, accounts, send`,
  ]
  for (const line of lines) screen.line(`  ${line}`)
  screen.line()
  screen.say('Ctrl-C here ends all of it.')
}
