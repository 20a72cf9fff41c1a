/** Work beside the turns of an agent: background shells, subagents, plans; and a question. */
import { claudeCode } from '../../agents/claude-code/index.js'
import type { Answerer, ToolCall } from '../../lab/standin/answers.js'
import { conversationText, promptsOf } from '../../lab/standin/requests.js'
import { type Checks, expectThat, type Scene } from '../checks.js'
import { Agent } from './agent.js'
import { type Context, manualMode } from './context.js'

const args = [...manualMode, '--allowedTools=Bash,Agent,ScheduleWakeup,CronCreate,SendMessage']
/** A key that was pressed twice would be typed into the input line. */
const pressEvery = 3_000
const suite = 'Run the long test suite'
const subagentTask = 'Search every guide.'
const daily = 'Check the mail.'
const once = 'Look at the build again.'

const colours = ['Red', 'Green', 'Blue'].map((label) => ({ label, description: `It is ${label}.` }))
const tools: Readonly<Record<string, readonly ToolCall[]>> = {
  'Ask me.': [
    {
      name: 'AskUserQuestion',
      input: {
        questions: [{ question: 'Which colour?', header: 'Colour', multiSelect: false, options: colours }],
      },
    },
  ],
  'Begin the work.': [
    { name: 'Bash', input: { command: 'sleep 300', description: suite, run_in_background: true } },
    { name: 'Agent', input: { description: 'Search the guides', prompt: subagentTask } },
    { name: 'CronCreate', input: { cron: '7 3 * * *', prompt: daily, recurring: true } },
    { name: 'ScheduleWakeup', input: { delaySeconds: 600, reason: 'the build', prompt: once } },
  ],
}

/** Subagents of the first login never end; one that is told to go on answers at once. */
const script: Answerer = ({ request, turn, account }) => {
  if (request.subagent) return { text: 'I search on.', delayMs: account === 'worker' ? 600_000 : 0 }
  const prompt = promptsOf(request).at(-1) ?? ''
  const hasResults = JSON.stringify(request.messages.at(-1)).includes('tool_result')
  if (hasResults) return `Answer ${turn}.`
  const to = /^Write to (\w+)\./.exec(prompt)?.[1]
  if (to !== undefined)
    return { tools: [{ name: 'SendMessage', input: { to, summary: 'go on', message: 'Go on searching.' } }] }
  const calls = tools[prompt]
  return calls === undefined ? `Answer ${turn}.` : { text: 'I do.', tools: [...calls] }
}

export const work: Scene<Context> = {
  name: 'work',
  covers: [...['question-page', 'stop-body', 'shell-status', 'task-rows', 'subagent-files', 'cron-restored']],
  async run({ harness, world }, checks) {
    for (const name of ['worker', 'worker-next']) world.standIn.account(name).answer(script)
    const [from, to] = [world.login('worker'), world.login('worker-next')]
    const place = harness.place(from, 'worker')
    const agent = await Agent.launch(harness, place, { session: 'work', prompt: 'Ask me.' }, args)
    await question(checks, agent)
    const before = agent.turns().length
    await agent.say('Begin the work.')
    await agent.answered(before + 2)
    await checks.holds('stop-body', async () => {
      const { tasks = [], plans = [] } = await agent.report(
        'turn-ended',
        (one) => (one.tasks?.length ?? 0) > 0,
      )
      expectThat(
        tasks.some(({ what }) => what === suite),
        'it does not list the background shell',
      )
      expectThat(
        plans.some(({ prompt }) => prompt === daily),
        'it does not list the plan',
      )
    })
    await world.standIn.waitForRequest(
      ({ subagent, account }) => subagent && account === 'worker',
      harness.patience,
    )
    const transcript = await agent.transcript()
    const unfinished = await claudeCode.readUnfinishedWork(transcript, 0)
    await checks.holds('task-rows', () =>
      expectThat(
        unfinished.tasks.some(({ what }) => what === suite),
        'the transcript names no background shell',
      ),
    )
    await agent.end()

    const { sessionId } = agent
    const carried = await claudeCode.carry({ sessionId, from: place, to: harness.place(to, 'worker-next') })
    const ids = unfinished.tasks.filter(({ kind }) => kind === 'subagent').map(({ id }) => id)
    const copied = await claudeCode.copySubagents(transcript, carried.transcript, ids)
    const launch = { session: 'work', fence: 2, sessionId, mode: 'resume' } as const
    const prompt = `Write to ${copied[0] ?? 'none'}.`
    const next = await Agent.launch(harness, harness.place(to, 'worker-next'), { ...launch, prompt }, args)
    await checks.holds('subagent-files', async () => {
      expectThat(copied.length > 0, 'there is no file of the subagent beside the transcript')
      const again = await world.standIn.waitForRequest(
        ({ subagent, account }) => subagent && account === 'worker-next',
        harness.patience,
      )
      const text = conversationText(again)
      expectThat(
        text.includes(subagentTask) && text.includes('Go on searching.'),
        'it does not go on where it was',
      )
    })
    await checks.holds('cron-restored', async () => {
      const { plans = [] } = await next.report('turn-ended', (one) => one.plans !== undefined)
      const prompts = plans.map((one) => one.prompt)
      expectThat(prompts.includes(daily), 'the recurring plan was not restored')
      expectThat(!prompts.includes(once), 'the one-shot wake-up was restored as well')
    })
    await next.end()
    await shellAtRest(checks, harness, world)
  },
}

async function question(checks: Checks, agent: Agent): Promise<void> {
  const isAnswered = await checks.holds('question-page', async () => {
    const { question: asked } = await agent.dialog('question')
    expectThat(asked?.text === 'Which colour?', `the question is read as ${asked?.text ?? 'nothing'}`)
    let pressedAt = -Infinity
    await agent.until('the answer', async () => {
      const open = claudeCode.readDialog(await agent.pane.screen())?.question
      if (!open) return agent.turns().length > 1 ? true : null
      if (performance.now() - pressedAt < pressEvery) return null
      const step = claudeCode.nextAnswerStep(open, '2', false)
      if (step.kind === 'press') await agent.pane.keys(...step.keys)
      pressedAt = performance.now()
      return null
    })
    const text = conversationText(await agent.answered(2))
    expectThat(text.includes('="Green"'), 'another choice was taken')
  })
  if (!isAnswered) await agent.pane.keys('Escape')
  await agent.atRest()
}

/** In an agent of its own: a subagent that runs beside it would make the program busy. */
async function shellAtRest(
  checks: Checks,
  harness: Context['harness'],
  world: Context['world'],
): Promise<void> {
  world.standIn.account('sheller').answer([
    {
      tools: [{ name: 'Bash', input: { command: 'sleep 300', description: suite, run_in_background: true } }],
    },
  ])
  const place = harness.place(world.login('sheller'), 'sheller')
  const agent = await Agent.launch(harness, place, { session: 'shell', prompt: 'Begin.' }, args)
  await checks.holds('shell-status', () => agent.live(({ activity }) => activity === 'shell'))
  await agent.end()
}
