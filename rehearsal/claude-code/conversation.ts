/** The life of a session: its first start in a config dir that was never used, a permission, a wall, its end, a move, a fork. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Place } from '../../agents/adapter/place.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { processStart } from '../../host/process/processes.js'
import { conversationText, promptsOf } from '../../lab/standin/requests.js'
import { type Checks, expectThat, type Scene } from '../checks.js'
import { Agent } from './agent.js'
import { type Context, hoursAhead, manualMode } from './context.js'

const said = 'Remember the word heron.'
/** In the first prompt, which the program is expected to drop; that is one expectation alone. */
const invisible = '\u200b'
const visible = (text: string): string => text.replaceAll(invisible, '')
const remembered = 'I remember it.'
const used = 0.37

export const conversation: Scene<Context> = {
  name: 'conversation',
  covers: [
    ...['first-run-keys', 'conversation-id', 'config-dir', 'launch-prompt-rewritten', 'transcript-file'],
    ...['transcript-entries', 'human-origin', 'live-state', 'live-state-waiting', 'hook-session-start'],
    ...['hook-stop', 'hook-stop-failure', 'hook-permission-request', 'hook-session-end'],
    ...['status-line-limits', 'limit-menu', 'term-ends', 'resume-after-copy', 'fork'],
  ],
  async run(context, checks) {
    const { harness, world } = context
    const [first, second] = ['first', 'second'].map((name) => {
      const windows = {
        five_hour: { used, resetsAt: hoursAhead(4) },
        seven_day: { used, resetsAt: hoursAhead(90) },
      }
      world.standIn.account(name).windows(windows)
      return harness.place(world.login(name, { onboarded: false, trusted: [] }), name)
    }) as [Place, Place]
    world.standIn.account('first').answer(({ request }) => {
      const hasResult = JSON.stringify(request.messages.at(-1)).includes('tool_result')
      return promptsOf(request).at(-1) === 'Touch a file.' && !hasResult
        ? { tools: [{ name: 'Bash', input: { command: 'touch made', description: 'Touch it' } }] }
        : remembered
    })
    const prompt = said.replace('the', `the${invisible}`)
    const agent = await Agent.launch(harness, first, { session: 'talk', prompt }, manualMode)
    if (!(await checks.holds('first-run-keys', () => agent.answered(1)))) {
      await agent.end()
      throw new Error('it did not start unattended')
    }
    await firstTurn(checks, agent)
    await permission(checks, agent)
    await wallAndEnd(context, checks, agent)
    await moveAndFork(context, checks, agent, second)
  },
}

async function firstTurn(checks: Checks, agent: Agent): Promise<void> {
  const [request] = agent.turns()
  const { place } = agent.input
  await checks.holds('conversation-id', () =>
    expectThat(request?.sessionId === agent.sessionId, 'the request names another conversation'),
  )
  await checks.holds('launch-prompt-rewritten', () => {
    const prompts = request === undefined ? [] : promptsOf(request)
    expectThat(prompts.at(-1) === said, `the prompt was sent as ${JSON.stringify(prompts.at(-1))}`)
  })
  await checks.holds('config-dir', () =>
    expectThat(request?.account === 'first', `the request came from ${request?.account ?? 'no login'}`),
  )
  await checks.holds('transcript-file', async () => {
    const file = await agent.transcript()
    expectThat(claudeCode.configDirOf(file) === place.configDir, `it is ${file}`)
  })
  await checks.holds('transcript-entries', () =>
    agent.tail(({ last, prompts }) => last?.kind === 'answer' && prompts.length === 1),
  )
  await checks.holds('human-origin', () =>
    agent.tail(({ prompts }) =>
      prompts.some((one) => claudeCode.fingerprint(one) === claudeCode.fingerprint(said)),
    ),
  )
  await checks.holds('live-state', () => agent.live(({ activity }) => activity === 'idle'))
  await checks.holds('hook-session-start', async () => {
    const { sessionId, transcript } = await agent.report('started')
    expectThat(sessionId === agent.sessionId, `it names the conversation ${sessionId}`)
    expectThat(transcript === (await agent.transcript()), `it names the transcript ${transcript}`)
  })
  await checks.holds('hook-stop', () => agent.report('turn-ended'))
  await checks.holds('status-line-limits', async () => {
    const { windows } = await agent.report('quota')
    const isRead = windows.length === 2 && windows.every((one) => one.used === used && one.resetsAt !== null)
    expectThat(isRead, `it has ${windows.map(({ name, used }) => `${name} ${used}`).join(', ')}`)
  })
}

async function permission(checks: Checks, agent: Agent): Promise<void> {
  await agent.say('Touch a file.')
  await checks.holds('live-state-waiting', () => agent.live(({ activity }) => activity === 'waiting'))
  await checks.holds('hook-permission-request', () => agent.report('needs-person'))
  await agent.pane.keys('Escape')
  await agent.atRest()
}

async function wallAndEnd({ world }: Context, checks: Checks, agent: Agent): Promise<void> {
  world.standIn.account('first').wall('five_hour', hoursAhead(3))
  await agent.say('And now the long task.')
  await checks.holds('hook-stop-failure', async () => {
    const { error } = await agent.report('turn-failed')
    expectThat(error === 'rate_limit', `its error is ${error}`)
  })
  await checks.holds('limit-menu', async () => {
    const menu = await agent.dialog('limit-menu')
    expectThat(menu.safeKeys?.join() === 'Escape', `it is closed by ${menu.safeKeys?.join() ?? 'no key'}`)
    await agent.passDialog()
  })
  await agent.atRest()
  const pid = await agent.pane.pid()
  await checks.holds('term-ends', async () => {
    process.kill(pid, 'SIGTERM')
    await agent.until('the end of the program', async () =>
      (await processStart(pid)) === null ? true : null,
    )
    const left = await claudeCode.readLiveStates(agent.input.place)
    expectThat(left.length === 0, 'its live state is still there')
  })
  await checks.holds('hook-session-end', () => agent.report('ended'))
  await agent.end()
}

async function moveAndFork({ harness }: Context, checks: Checks, agent: Agent, to: Place): Promise<void> {
  const { sessionId } = agent
  const { transcript } = await claudeCode.carry({ sessionId, from: agent.input.place, to })
  const launch = {
    session: 'talk',
    fence: 2,
    sessionId,
    mode: 'resume',
    prompt: 'Which word was it?',
  } as const
  const moved = await Agent.launch(harness, to, launch, manualMode)
  await checks.holds('resume-after-copy', async () => {
    const request = await moved.until(
      'a request under the other login',
      () =>
        moved.turns().find(({ account, outcome }) => account === 'second' && outcome === 'answered') ?? null,
    )
    const text = visible(conversationText(request))
    for (const earlier of [said, remembered, 'Which word was it?'])
      expectThat(text.includes(earlier), `the request lacks ${JSON.stringify(earlier)}`)
  })
  await moved.atRest()
  await moved.end()
  const before = readFileSync(transcript)
  const forkLaunch = {
    session: 'talk',
    fence: 3,
    sessionId: randomUUID(),
    mode: 'fork',
    forkOf: sessionId,
  } as const
  const fork = await Agent.launch(harness, to, { ...forkLaunch, prompt: 'Go on elsewhere.' }, manualMode)
  await checks.holds('fork', async () => {
    const request = await fork.answered(1)
    expectThat(
      visible(conversationText(request)).includes(said),
      'the fork does not know what was said before',
    )
    await fork.transcript()
    expectThat(readFileSync(transcript).equals(before), 'the original was changed')
  })
  await fork.end()
}
