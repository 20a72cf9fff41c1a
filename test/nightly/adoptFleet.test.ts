/** A person's whole fleet is adopted with one command, meets a wall, and goes on with everything that was said in it. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FoundAgent } from '../../config/state/foundAgents.js'
import { type Fleet, startFleet } from '../../lab/fleet.js'
import { watchHolders } from '../../lab/machine/holders.js'
import { Person, type PersonAgent } from '../../lab/person.js'
import type { Answerer, ToolCall } from '../../lab/standin/answers.js'
import { promptsOf, type RecordedRequest, textOf } from '../../lab/standin/requests.js'
import { until } from '../../lab/until.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet
let person: Person

const holdFile = (): string => join(fleet.dir, 'hold')
const waitsForHold = (): string => `while [ -e '${holdFile()}' ]; do sleep 0.1; done`

/** What the model does first, by a word of the first prompt. */
const tools: Readonly<Record<string, () => ToolCall>> = {
  hold: () => ({ name: 'Bash', input: { command: waitsForHold() } }),
  note: () => ({
    name: 'Write',
    input: { file_path: join(fleet.world.cwd, 'note.txt'), content: 'noted' },
  }),
  suite: () => ({
    name: 'Bash',
    input: { command: waitsForHold(), description: 'Run the long test suite', run_in_background: true },
  }),
}
const script: Answerer = ({ request, turn }) => {
  const [first = ''] = promptsOf(request)
  const called = turn === 1 ? Object.keys(tools).find((word) => first.includes(word)) : undefined
  const tool = called === undefined ? undefined : tools[called]?.()
  return tool === undefined
    ? `Answer ${turn} to "${first}"`
    : { text: `I do that for "${first}"`, tools: [tool] }
}

/** An agent of the person's, and the session that it becomes. */
interface Member {
  kind: string
  sessionId: string
  /** Its pane; null in a bare terminal. */
  pane: PersonAgent | null
  activity: FoundAgent['activity']
  /** Answers that the model gives before the agent is adopted, and by its end. */
  turns: { before: number; after: number }
}
const members: Member[] = []
const names = new Map<string, string>()
const nameOf = ({ sessionId }: Member): string => names.get(sessionId) ?? ''
const memberOf = (kind: string): Member => members.find((member) => member.kind === kind)!
let bareShown: () => string

const turnsOf = ({ sessionId }: Member): RecordedRequest[] =>
  fleet.world.standIn.requests({ kind: 'turn', sessionId })
const draft = 'a draft that was never sent'

async function startEach(): Promise<void> {
  const { world } = fleet
  const [one, two, own] = ['max-1', 'max-2', 'own'].map((name) => world.login(name)) as [
    ReturnType<typeof world.login>,
    ReturnType<typeof world.login>,
    ReturnType<typeof world.login>,
  ]
  person.defaultLogin('private')
  const bash = ['--allowedTools=Bash']
  const add = (
    kind: string,
    pane: PersonAgent,
    {
      activity = 'idle',
      before = 1,
      after = before,
    }: { activity?: FoundAgent['activity']; before?: number; after?: number } = {},
  ): unknown => members.push({ kind, sessionId: pane.sessionId, pane, activity, turns: { before, after } })

  add('idle', await person.startAgent('one', one, 'Remember the word heron.'))
  add('with a draft', await person.startAgent('one', two, 'Remember the word stork.'))
  add(
    'in a turn',
    await person.startAgent('two', two, 'Please hold, and remember the word crane.', { args: bash }),
    {
      ...{ activity: 'busy', after: 2 },
    },
  )
  add(
    'in a dialog',
    await person.startAgent('two', one, 'Please note the word egret.', {
      args: ['--permission-mode', 'manual'],
    }),
    { activity: 'waiting', after: 2 },
  )
  add(
    'with a background task',
    await person.startAgent('one', one, 'Start the suite, and remember the word ibis.', { args: bash }),
    // The session is told what ended with its process.
    { activity: 'shell', before: 2, after: 3 },
  )
  add('with a config dir of its own', await person.startAgent('two', own, 'Remember the word quail.'))
  add('with the default config dir', await person.startAgent('one', null, 'Remember the word finch.'))
  const { sessionId, shown } = person.startBare(two, 'Remember the word robin.')
  bareShown = shown
  members.push({
    ...{
      kind: 'in a bare terminal',
      sessionId,
      pane: null,
      activity: 'idle',
      turns: { before: 1, after: 1 },
    },
  })
}

beforeAll(async () => {
  fleet = await startFleet({
    accounts: ['max-1', 'max-2', 'max-3'],
    config: { timing: { pollEvery: '1s' } },
  })
  for (const name of ['max-1', 'max-2', 'max-3', 'own', 'private'])
    fleet.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
  fleet.world.standIn.answer(script)
  writeFileSync(holdFile(), '')
  person = new Person(fleet)
  await fleet.up()
  await fleet.untilRead()
  await startEach()
})
afterAll(async () => {
  person.close()
  await fleet.close()
})

/** Everything that a person and the model have said, oldest first, by speaker. */
const saidIn = (request: RecordedRequest): { prompts: string[]; answers: string[] } => ({
  prompts: promptsOf(request),
  answers: request.messages.flatMap(({ role, content }) => (role === 'assistant' ? [textOf(content)] : [])),
})

/** Each conversation as it was last sent to the model, in the order of the members. */
const lastSaid = () => members.map((member) => saidIn(turnsOf(member).at(-1)!))

it('law 3: one command adopts all eight, and no conversation has two processes at any moment', async () => {
  const found = await until(
    'all eight agents as they are to be',
    async () => (await fleet.json<{ agents: FoundAgent[] }>('adopt')).agents,
    (agents) =>
      members.every((member) => {
        const agent = agents.find(({ sessionId }) => sessionId === member.sessionId)
        return agent?.activity === member.activity && turnsOf(member).length === member.turns.before
      }),
  )
  person.type(memberOf('with a draft').pane!, draft)
  await person.untilShown(memberOf('with a draft').pane!, /never sent/)

  const monitor = watchHolders(...members.map(({ sessionId }) => sessionId))
  // Other tests on this machine may have agents of their own, so the folder is given.
  const adopted = await fleet.json<{ session: string; sessionId: string; pid: number; result: string }[]>(
    ...['adopt', '--all', '--under', fleet.dir, '--yes'],
  )
  expect(adopted.map(({ sessionId }) => sessionId).sort()).toEqual(
    members.map(({ sessionId }) => sessionId).sort(),
  )
  for (const { session, sessionId, pid, result } of adopted) {
    expect(result).toBe('accepted')
    expect(found.find((agent) => agent.sessionId === sessionId)?.pid).toBe(pid)
    names.set(sessionId, session)
  }

  // A turn goes on until its end, and a dialog until the person has answered it.
  const untilIdle = (member: Member) =>
    fleet.untilSession(
      nameOf(member),
      ({ phase, account }) => phase === 'idle' && ['max-1', 'max-2', 'max-3'].includes(account ?? ''),
    )
  const [inTurn, inDialog] = [memberOf('in a turn'), memberOf('in a dialog')]
  for (const member of members) if (member !== inTurn && member !== inDialog) await untilIdle(member)
  for (const member of [inTurn, inDialog]) {
    expect(await fleet.show(nameOf(member))).toMatchObject({ phase: 'starting', pid: null })
    expect(turnsOf(member)).toHaveLength(1)
  }
  rmSync(holdFile())
  person.press(inDialog.pane!, 'Enter')
  for (const member of members) {
    const session = await untilIdle(member)
    expect(session).toMatchObject({ sessionId: member.sessionId, rescues: 0 })
  }
  expect(monitor.stop()).toEqual([])

  for (const member of members) {
    const turns = await until(
      `the turns of the agent ${member.kind}`,
      () => Promise.resolve(turnsOf(member)),
      ({ length }) => length >= member.turns.after,
    )
    expect({ kind: member.kind, turns: turns.length }).toEqual({
      kind: member.kind,
      turns: member.turns.after,
    })
    if (member.pane !== null) await person.untilShown(member.pane, /outpool: on /)
    else expect(bareShown()).toContain(`this conversation goes on as session ${nameOf(member)}`)
  }
  expect(saidIn(turnsOf(memberOf('with a background task')).at(-1)!).prompts.at(-1)).toMatch(
    /has been replaced while you were at rest.*Run the long test suite/s,
  )
})

it('law 5: at a wall all of them move, and every earlier message is in the next request', async () => {
  const before = lastSaid()
  const monitor = watchHolders(...members.map(({ sessionId }) => sessionId))
  for (const name of ['max-1', 'max-2']) fleet.world.standIn.account(name).wall('five_hour', hours(3))
  for (const member of members)
    expect(await fleet.run('send', nameOf(member), 'What was the word?')).toMatchObject({ code: 0 })
  for (const [index, member] of members.entries()) {
    const turns = await until(
      `the answer on max-3 to the agent ${member.kind}`,
      () => Promise.resolve(turnsOf(member).filter(({ outcome }) => outcome === 'answered')),
      (all) => all.at(-1)?.account === 'max-3' && promptsOf(all.at(-1)!).includes('What was the word?'),
    )
    const { prompts, answers } = before[index]!
    const after = saidIn(turns.at(-1)!)
    expect(after.prompts.slice(0, prompts.length)).toEqual(prompts)
    expect(after.answers.slice(0, answers.length)).toEqual(answers)
    expect(after.answers[answers.length]).toContain(`to "${prompts[0]!}"`)
    await fleet.untilSession(nameOf(member), ({ phase, account }) => phase === 'idle' && account === 'max-3')
  }
  // Some met the wall; the others left before they did.
  const rescues = await Promise.all(members.map(async (member) => (await fleet.show(nameOf(member))).rescues))
  expect(Math.max(...rescues)).toBe(1)
  await person.untilShown(memberOf('with a draft').pane!, /never sent/)
  expect(monitor.stop()).toEqual([])
})

it('law 5: the conversation of a bare terminal is resumed by the line that its release prints', async () => {
  const bare = memberOf('in a bare terminal')
  const { pid } = await fleet.show(nameOf(bare))
  const { resume } = await fleet.json<{ resume: string }>('release', nameOf(bare))
  process.kill(pid!, 'SIGTERM')
  const logins = ['max-1', 'max-2', 'max-3'].map((name) => join(fleet.world.dir, 'logins', name))
  await until(
    'the end of its process',
    () => person.holders(bare.sessionId, logins),
    (holders) => holders.length === 0,
  )
  const resumed = await person.resumeAgent('two', bare.sessionId, resume)
  const { prompts } = saidIn(turnsOf(bare).at(-1)!)
  await person.say(resumed, 'Say the word once more.')
  const turns = await until(
    'the next request',
    () => Promise.resolve(turnsOf(bare)),
    (all) => promptsOf(all.at(-1)!).includes('Say the word once more.'),
  )
  expect(promptsOf(turns.at(-1)!)).toEqual([...prompts, 'Say the word once more.'])
})
