/** Agents that a person started in their own terminals are adopted by a fleet, and sessions are given back. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AccountOffer, FoundAgent } from '../../config/state/foundAgents.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { watchHolders } from '../../lab/machine/holders.js'
import { Person } from '../../lab/person.js'
import type { Answerer } from '../../lab/standin/answers.js'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import type { Login } from '../../lab/standin/logins.js'
import { conversationText, promptsOf } from '../../lab/standin/requests.js'
import { until } from '../../lab/until.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet
let person: Person
const logins: Record<string, Login> = {}

beforeAll(async () => {
  fleet = await startFleet({ accounts: ['max-1', 'max-2'], config: { timing: { pollEvery: '1s' } } })
  for (const name of ['max-1', 'max-2', 'own'])
    fleet.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
  for (const name of ['max-1', 'max-2']) logins[name] = fleet.world.login(name)
  useWrappedProgram()
  fleet.world.standIn.answer(script)
  person = new Person(fleet)
  await fleet.up()
})
afterAll(async () => {
  person.close()
  await fleet.close()
})

/** The program of the fleet, which refuses to start while there is this file. The person runs the program itself. */
const brokenMark = (): string => join(fleet.dir, 'broken')

function useWrappedProgram(): void {
  const wrapper = join(fleet.dir, 'claude-of-fleet')
  writeFileSync(
    wrapper,
    `#!/bin/sh\nif [ -e '${brokenMark()}' ] && [ "$1" != --version ]; then exit 7; fi\nexec '${agentProgram}' "$@"\n`,
  )
  chmodSync(wrapper, 0o755)
  const file = join(fleet.dir, 'outpool.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace(agentProgram, wrapper))
}

const holdFile = (): string => join(fleet.dir, 'hold')

/** A first prompt that says so has a command run for as long as the file is there. */
const script: Answerer = ({ request, turn }) =>
  turn === 1 && promptsOf(request)[0]?.includes('hold') === true
    ? { tools: [{ name: 'Bash', input: { command: `while [ -e '${holdFile()}' ]; do sleep 0.1; done` } }] }
    : `Answer ${turn} of this conversation.`

const turnsOf = (sessionId: string) => fleet.world.standIn.requests({ kind: 'turn', sessionId })
const listed = (): Promise<{ agents: FoundAgent[]; offers: AccountOffer[] }> => fleet.json('adopt')
const untilListed = (sessionId: string, wanted: (agent: FoundAgent) => boolean): Promise<FoundAgent> =>
  until(
    `agent ${sessionId}`,
    async () => (await listed()).agents.find((agent) => agent.sessionId === sessionId),
    (agent) => agent !== undefined && wanted(agent),
  ) as Promise<FoundAgent>
const isIdle = ({ activity }: FoundAgent): boolean => activity === 'idle'

const shows = (name: string, what: RegExp): Promise<unknown> =>
  until(
    `the show output of ${name}`,
    () => fleet.run('show', name),
    ({ stdout }) => what.test(stdout),
  )

const adopt = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await fleet.run('adopt', ...args)
  expect({ code, stderr }).toMatchObject({ code: 0 })
  return stdout
}

/** The next request of the session, after it was told something: all that was said before has to be in it. */
async function nextTurn(name: string, sessionId: string): Promise<string> {
  const before = turnsOf(sessionId).length
  expect(await fleet.run('send', name, 'What was the word?')).toMatchObject({ code: 0 })
  const turns = await until(
    'the next request',
    () => Promise.resolve(turnsOf(sessionId)),
    (all) => all.length > before && conversationText(all.at(-1)!).includes('What was the word?'),
  )
  return conversationText(turns.at(-1)!)
}

it('law 5: an idle agent goes on as a session, with its draft, and the pane of its person shows it', async () => {
  const agent = await person.startAgent('one', logins['max-1']!, 'Remember the word heron.')
  const draft = 'a draft that is longer than one row of the screen, '.repeat(4) + 'and not sent'
  await untilListed(agent.sessionId, isIdle)
  person.type(agent, draft)
  await person.untilShown(agent, /and not sent/)
  const found = await untilListed(agent.sessionId, isIdle)
  expect(found).toMatchObject({ account: 'max-1', cwd: fleet.world.cwd, refusal: null, losses: [] })
  expect(found.terminal).toMatchObject({ kind: 'tmux', socket: person.socket('one'), pane: agent.pane })

  const monitor = watchHolders(agent.sessionId)
  await adopt(String(found.pid), '--name', 'alpha')
  const session = await fleet.untilSession('alpha', ({ phase }) => phase === 'idle')
  expect(session).toMatchObject({ sessionId: agent.sessionId, account: 'max-1' })
  expect(turnsOf(agent.sessionId)).toHaveLength(1)
  // The session's own screen, shown in the person's pane.
  await person.untilShown(agent, /alpha.*outpool: on max-1/s)
  await person.untilShown(agent, /and not sent/)
  expect((await listed()).agents.filter(({ sessionId }) => sessionId === agent.sessionId)).toEqual([])

  person.press(agent, 'Enter')
  const turns = await until(
    'the draft in a turn',
    () => Promise.resolve(turnsOf(agent.sessionId)),
    ({ length }) => length === 2,
  )
  expect(promptsOf(turns.at(-1)!)).toEqual(['Remember the word heron.', draft])
  await fleet.untilSession('alpha', ({ phase }) => phase === 'idle')
  // Leaving gives the person's shell back.
  person.press(agent, 'C-b', 'd')
  await person.untilShown(agent, /\[detached[^]*[$#]\s*$/)
  expect(monitor.stop()).toEqual([])
})

it('law 6: an agent in a turn is left alone until its end, and a second command only waits with the first', async () => {
  writeFileSync(holdFile(), '')
  const agent = await person.startAgent('two', logins['max-2']!, 'Please hold the line.', {
    args: ['--allowedTools=Bash'],
  })
  const found = await untilListed(agent.sessionId, ({ activity }) => activity === 'busy')
  await until(
    'the command',
    () => Promise.resolve(turnsOf(agent.sessionId).length),
    (count) => count === 1,
  )
  const monitor = watchHolders(agent.sessionId)
  await adopt(String(found.pid), '--name', 'bravo')
  await shows('bravo', new RegExp(`waits for the end of the turn of process ${found.pid}`))
  expect(await fleet.show('bravo')).toMatchObject({ phase: 'starting', pid: null })
  expect(await adopt(String(found.pid))).toContain('as bravo')
  expect(await person.holders(agent.sessionId, [logins['max-2']!.configDir])).toEqual([found.pid])
  rmSync(holdFile())
  await fleet.untilSession('bravo', ({ phase, account }) => phase === 'idle' && account === 'max-2')
  const said = await nextTurn('bravo', agent.sessionId)
  expect(said).toContain('Please hold the line.')
  expect(said).not.toContain('interrupted')
  expect(monitor.stop()).toEqual([])
})

it('law 5: model, permission mode and flags go along from the default config dir, whose account is offered', async () => {
  const own = person.defaultLogin('own')
  const agent = await person.startAgent('one', null, 'Remember the word stork.', {
    args: ['--model', 'claude-sonnet-5-5', '--permission-mode', 'plan', '--append-system-prompt', 'Be_brief'],
    env: ['OWN_MARK=stork'],
  })
  const found = await untilListed(agent.sessionId, isIdle)
  expect(found).toMatchObject({ account: null, configDir: own.configDir, model: 'claude-sonnet-5-5' })
  // Other tests on this machine may have agents of their own.
  const { offers } = await listed()
  expect(offers.map(({ configDir }) => configDir)).toContain(own.configDir)
  expect(offers.map(({ configDir }) => configDir)).not.toContain(logins['max-1']!.configDir)
  expect(await adopt(agent.sessionId, '--name', 'charlie')).toContain(`configDir: "${own.configDir}" }`)
  const session = await fleet.untilSession('charlie', ({ phase }) => phase === 'idle')
  expect(['max-1', 'max-2']).toContain(session.account)
  expect(fleet.tmux('capture-pane', '-p', '-t', '=charlie:')).toContain('plan mode on')
  expect(await nextTurn('charlie', agent.sessionId)).toContain('Remember the word stork.')
  const request = turnsOf(agent.sessionId).at(-1)!
  expect(request).toMatchObject({ model: 'claude-sonnet-5-5', account: session.account })
  expect(readFileSync(`/proc/${session.pid}/cmdline`, 'utf8')).toContain('Be_brief')
  expect(readFileSync(`/proc/${session.pid}/environ`, 'utf8')).toContain('OWN_MARK=stork')
})

it('a bare terminal is adopted only when its person accepts that its draft is lost, and is told', async () => {
  const bare = person.startBare(logins['max-1']!, 'Remember the word crane.')
  const found = await untilListed(bare.sessionId, isIdle)
  expect(found).toMatchObject({ terminal: { kind: 'tty' }, losses: [{ kind: 'unseen-input' }] })
  const refused = await fleet.run('adopt', String(found.pid))
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('what is typed in its terminal and not sent')
  expect(await person.holders(bare.sessionId, [logins['max-1']!.configDir])).toEqual([found.pid])
  await adopt(String(found.pid), '--name', 'delta', '--yes')
  await fleet.untilSession('delta', ({ phase }) => phase === 'idle')
  await until(
    'the line in its terminal',
    () => Promise.resolve(bare.shown()),
    (shown) => shown.includes('this conversation goes on as session delta'),
  )
  expect(await nextTurn('delta', bare.sessionId)).toContain('Remember the word crane.')
})

it('law 5: a turn is interrupted only on demand, and goes on in the session; a stopped conversation is adopted too', async () => {
  writeFileSync(holdFile(), '')
  const agent = await person.startAgent('two', logins['max-1']!, 'Please hold on.', {
    args: ['--allowedTools=Bash'],
  })
  await until(
    'the command',
    () => Promise.resolve(turnsOf(agent.sessionId).length),
    (count) => count === 1,
  )
  await untilListed(agent.sessionId, ({ activity }) => activity === 'busy')
  await adopt(agent.sessionId, '--name', 'echo', '--now')
  await fleet.untilSession('echo', ({ phase }) => phase === 'idle')
  rmSync(holdFile())
  expect(promptsOf(turnsOf(agent.sessionId).at(-1)!).at(-1)).toMatch(/Continue the task you were working on/)

  const stopped = await person.startAgent('two', logins['max-2']!, 'Remember the word ibis.')
  const { pid } = await untilListed(stopped.sessionId, isIdle)
  process.kill(pid, 'SIGTERM')
  await until(
    'its end',
    () => person.holders(stopped.sessionId, [logins['max-2']!.configDir]),
    (holders) => holders.length === 0,
  )
  await adopt(stopped.sessionId, '--name', 'foxtrot')
  const again = await fleet.untilSession(
    'foxtrot',
    ({ phase, account }) => phase === 'idle' && account === 'max-2',
  )
  expect(readFileSync(`/proc/${again.pid}/environ`, 'utf8')).toContain('PATH=')
  expect(turnsOf(stopped.sessionId)).toHaveLength(1)
  expect(await nextTurn('foxtrot', stopped.sessionId)).toContain('Remember the word ibis.')
})

it('law 3: an agent that could not be started as a session runs again in its own pane', async () => {
  const agent = await person.startAgent('one', logins['max-1']!, 'Remember the word egret.')
  const found = await untilListed(agent.sessionId, isIdle)
  writeFileSync(brokenMark(), '')
  const monitor = watchHolders(agent.sessionId)
  await adopt(String(found.pid), '--name', 'golf')
  const ended = await fleet.untilSession('golf', ({ phase }) => phase === 'stopped')
  expect(ended.attention).toMatch(/^not adopted: .*the agent runs on where it was$/)
  rmSync(brokenMark())
  const again = await untilListed(agent.sessionId, isIdle)
  expect(again.pid).not.toBe(found.pid)
  expect(again.terminal).toMatchObject({ pane: agent.pane })
  await person.say(agent, 'What was the word?')
  const turns = await until(
    'its next request',
    () => Promise.resolve(turnsOf(agent.sessionId)),
    ({ length }) => length === 2,
  )
  expect(promptsOf(turns.at(-1)!)).toEqual(['Remember the word egret.', 'What was the word?'])
  expect(monitor.stop()).toEqual([])
})

it('a released session keeps its process, which nothing of Outpool ends, and says how to reach and resume it', async () => {
  const { pid, sessionId } = await fleet.untilSession('alpha', ({ phase }) => phase === 'idle')
  const released = await fleet.json<{ tmuxSession: string; resume: string }>('release', 'alpha')
  expect(released.tmuxSession).toBe('released-alpha')
  expect(released.resume).toContain(`CLAUDE_CONFIG_DIR=${logins['max-1']!.configDir}`)
  expect(released.resume).toContain(`--resume ${sessionId}`)
  await shows('alpha', /stopped[^]*released by a person/)
  const last = fleet.events().filter((event) => 'session' in event && event.session === 'alpha')
  expect(last.at(-1)).toMatchObject({ kind: 'session-released' })
  // A session of the same name gets a pane of its own, and is ended without the released process.
  expect(await fleet.run('start', 'alpha', '--cwd', fleet.world.cwd)).toMatchObject({ code: 0 })
  await fleet.untilSession('alpha', (one) => one.phase === 'idle' && one.sessionId !== sessionId)
  expect(await fleet.run('stop', 'alpha')).toMatchObject({ code: 0 })
  expect(existsSync(`/proc/${pid}`)).toBe(true)
  expect(fleet.tmux('list-panes', '-t', '=released-alpha:', '-F', '#{pane_pid}').trim()).toBe(String(pid))
  const found = await untilListed(sessionId, isIdle)
  expect(found).toMatchObject({ pid, refusal: null })
  process.kill(pid!, 'SIGTERM')
})
