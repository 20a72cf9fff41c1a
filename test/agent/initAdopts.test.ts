/** `outpool init` on a real terminal offers to adopt the agents that run. */
import { randomUUID } from 'node:crypto'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { FoundAgent } from '../../config/state/foundAgents.js'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import { startWorld, type World } from '../../lab/standin/world.js'
import { until } from '../../lab/until.js'
import { ClientHarness } from '../server/clientHarness.js'
import { outpool } from '../server/testHome.js'
import { TestTerminal } from '../server/testTerminal.js'

// Sessions are stand-ins here: other tests on this machine have agents too, which init would offer, and nothing may take them over.
let harness: ClientHarness
let world: World
let terminal: TestTerminal
/** Another one for each test: the engine is shared, and lists ended sessions too. */
let sessionId: string

beforeAll(async () => {
  harness = await ClientHarness.open()
})
afterAll(() => harness.close())

const env = (): NodeJS.ProcessEnv => ({
  ...harness.home.env,
  SHELL: '/bin/sh',
  DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere',
  XDG_RUNTIME_DIR: '/nowhere',
})

beforeEach(async () => {
  harness.beginTest()
  sessionId = randomUUID()
  const { dir } = harness.home
  world = await startWorld(join(dir, 'world'))
  mkdirSync(join(dir, '.claude-max-3'), { mode: 0o700 })
  writeFileSync(join(dir, '.claude-max-3', 'settings.json'), '{}')
  terminal = new TestTerminal(dir, join(dir, 'work'), env())
  await startAgent()
})
afterEach(async () => {
  terminal.close()
  await until(
    'the end of the agent',
    async () => (await agents()).filter((agent) => agent.sessionId === sessionId),
    ({ length }) => length === 0,
  )
  await world.close()
  await harness.endTest()
})

const agents = async (): Promise<FoundAgent[]> => {
  const { stdout } = await harness.home.run(['adopt', '--json'])
  return (JSON.parse(stdout) as { agents: FoundAgent[] }).agents
}

/** In another window of the person's. */
async function startAgent(): Promise<void> {
  const login = world.login('max-1')
  // What a launch sets as well, so that nothing would be lost with the agent.
  appendFileSync(
    harness.home.config,
    `agents: ${JSON.stringify({ 'claude-code': { env: world.agentEnv } })}\n`,
  )
  const variables = Object.entries(world.env(login)).map(([name, value]) => `${name}=${value}`)
  const command = ['env', ...variables, agentProgram, '--session-id', sessionId, 'Hello']
  terminal.tmux('new-window', '-d', '-c', world.cwd, ...command)
  await until('the idle agent', agents, (all) =>
    all.some(
      (agent) => agent.sessionId === sessionId && agent.activity === 'idle' && agent.losses.length === 0,
    ),
  )
}

/** As a worker of this home records it. */
function useConfig(): void {
  const inUse = {
    ...{ pid: process.pid, file: harness.home.config, byContent: false, digest: '', timing: '' },
    ...{ takenAt: new Date().toISOString(), kept: null },
  }
  writeFileSync(join(harness.home.home, 'config.json'), JSON.stringify(inUse))
}

/** Another test's agent may be one that would lose something, which is asked about for each. */
const untilLeft = () =>
  until(
    'the end of init',
    () => {
      const screen = terminal.shown().trimEnd()
      if (screen.endsWith('Adopt it all the same? [y/N]')) terminal.press('n', 'Enter')
      return Promise.resolve(screen)
    },
    (screen) => /left with \d/.test(screen),
  )

const answerLogins = async (): Promise<void> => {
  terminal.run(`${outpool.join(' ')} init`)
  await terminal.untilShown('Which of these logins shall be added')
  terminal.press('Enter')
  await terminal.untilShown('Do you use one of them yourself?')
  terminal.press('Enter')
}

const sessionsOf = async (id: string): Promise<string[]> => {
  const { stdout } = await harness.home.run(['ls', '--json'])
  const rows = JSON.parse(stdout) as { name: string; sessionId: string }[]
  return rows.flatMap((row) => (row.sessionId === id ? [row.name] : []))
}

it('while no worker runs, with the line to type once one does', async () => {
  await answerLogins()
  await untilLeft()
  expect(terminal.shown()).toMatch(
    /outpool adopt --all +# (one agent|\d+ agents) that you started, at the end of its turn/,
  )
  expect(await sessionsOf(sessionId)).toEqual([])
})

it('beside a running worker, and adopts them if the person says so', async () => {
  useConfig()
  await answerLogins()
  await terminal.untilShown('on this host, at the next turn end?')
  terminal.press('Enter')
  await untilLeft()
  expect(terminal.shown()).toContain('is taken over at the end of its turn')
  expect(terminal.shown()).not.toContain('outpool adopt --all')
  const [name] = await until(
    'its session',
    () => sessionsOf(sessionId),
    ({ length }) => length === 1,
  )
  const { start } = await harness.received(name!)
  expect(start.adoption).toMatchObject({ configDir: world.login('max-1').configDir, now: false })
})

it('beside a running worker, and leaves them alone if the person says no', async () => {
  useConfig()
  await answerLogins()
  await terminal.untilShown('on this host, at the next turn end?')
  terminal.press('n')
  await untilLeft()
  expect(terminal.shown()).toContain('outpool adopt --all')
  expect(await sessionsOf(sessionId)).toEqual([])
})
