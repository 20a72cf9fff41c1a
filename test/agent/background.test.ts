/**
 * Work that lives in the agent's process, and questions answered from outside: a whole outpool with the real
 * program.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeByNight } from '../byNight.js'
import type { Fleet, ShownSession } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'
import type { Answerer, ToolCall } from '../../lab/standin/answers.js'
import { conversationText, promptsOf } from '../../lab/standin/requests.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)
/** Long enough for commands that look at the task, also on a busy machine. */
const backgroundWaitMax = 30_000

let fleet: Fleet
beforeAll(async () => {
  fleet = await startFleet({
    accounts: ['max-1', 'max-2'],
    agentArgs: ['--permission-mode', 'manual', '--allowedTools=Bash,Agent,ScheduleWakeup,SendMessage'],
    config: { timing: { backgroundWaitMax: `${backgroundWaitMax / 1000}s` } },
  })
  use(0.2)
  fleet.world.standIn.answer(script)
  await fleet.up()
  await fleet.untilRead()
})
afterAll(() => fleet.close())

/** When max-1's window resets. */
let resetsAt = hours(3)

/** Begins another window of max-1, with this share used. */
function use(share: number): void {
  resetsAt = new Date(resetsAt.getTime() + 600_000)
  fleet.world.standIn.account('max-1').windows({ five_hour: { used: share, resetsAt } })
  fleet.world.standIn.account('max-2').windows({ five_hour: { used: 0.1, resetsAt: hours(4) } })
}

const colours = ['Red', 'Green', 'Blue'].map((label) => ({ label, description: `It is ${label}.` }))
const ask = (...questions: [string, boolean][]): ToolCall => ({
  name: 'AskUserQuestion',
  input: {
    questions: questions.map(([question, multiSelect], i) => ({
      ...{ question, multiSelect, header: `Topic ${i + 1}`, options: colours },
    })),
  },
})
const holdFile = (): string => join(fleet.dir, 'hold')
/** The program asks before it writes it. */
const madeFile = (): string => join(fleet.world.cwd, 'made.txt')
const subagentTask = 'Search every guide.'
const tools: Record<string, () => ToolCall> = {
  colour: () => ask(['Which colour shall the button have?', false]),
  two: () => ask(['Which colour shall the button have?', false], ['Which shall be offered?', true]),
  several: () => ask(['Which shall be offered?', true]),
  file: () => ({ name: 'Write', input: { file_path: madeFile(), content: 'made' } }),
  shell: () => ({
    name: 'Bash',
    input: {
      command: `while [ -e '${holdFile()}' ]; do sleep 0.1; done`,
      description: 'Run the long test suite',
      run_in_background: true,
    },
  }),
  subagent: () => ({ name: 'Agent', input: { description: 'Search the guides', prompt: subagentTask } }),
  wakeup: () => ({
    name: 'ScheduleWakeup',
    input: { delaySeconds: 60, reason: 'the build', prompt: 'Look at the build again.' },
  }),
}

/** The subagent that the model writes to, by the id that it was given. */
const subagentIdPattern = /which goes on where it was when you send it a message \((\w+)\)/

/** The first prompt names the tools that the model calls; everything else is answered with text. */
const script: Answerer = async ({ request, turn, account }) => {
  // Longer than any test waits: the rescue of its main thread must not wait for it.
  if (request.subagent) return { text: 'I search on.', delayMs: account === 'max-1' ? 600_000 : 0 }
  const prompts = promptsOf(request)
  const toolNames = /^Tools? ([\w ]+)\./.exec(prompts[0] ?? '')?.[1]?.split(' ') ?? []
  if (turn === 1 && toolNames.length > 0)
    return { text: 'I do.', tools: toolNames.flatMap((name) => tools[name]?.() ?? []) }
  if (toolNames.includes('wall') && account === 'max-1') {
    // A subagent that has not begun yet has nothing to go on from.
    if (toolNames.includes('subagent'))
      await fleet.world.standIn.waitForRequest(
        ({ subagent, sessionId }) => subagent && sessionId === request.sessionId,
      )
    return { wall: { kind: 'five_hour', resetsAt } }
  }
  const to = subagentIdPattern.exec(prompts.at(-1) ?? '')?.[1]
  if (to !== undefined && !JSON.stringify(request.messages).includes('"SendMessage"'))
    return { tools: [{ name: 'SendMessage', input: { to, summary: 'go on', message: 'Go on searching.' } }] }
  return `Answer ${turn} of this conversation.`
}

const begin = async (name: string, tool: string): Promise<void> => {
  const start = await fleet.run(
    'start',
    name,
    '--cwd',
    fleet.world.cwd,
    '--account',
    'max-1',
    '--',
    `Tool ${tool}.`,
  )
  expect(start.code).toBe(0)
}
/** Between two watches of a session a query has what the engine knows. */
const shows = (name: string, what: RegExp): Promise<unknown> =>
  until(
    `the show output of ${name}`,
    () => fleet.run('show', name),
    ({ stdout }) => what.test(stdout),
  )
const turnsOf = (sessionId: string) =>
  fleet.world.standIn.requests({ kind: 'turn', sessionId, subagent: false })
const said = (sessionId: string): string => conversationText(turnsOf(sessionId).at(-1)!)

/** On a busy machine the program says that it waits before its screen shows for what: the attention follows the screen. */
const isAsked =
  (words: string) =>
  ({ attention, question }: ShownSession): boolean =>
    question?.asks !== undefined && (attention?.includes(words) ?? false)

describe('a question', () => {
  it('law 10: is shown with its choices and answered from outside, once', async () => {
    await begin('alpha', 'colour')
    const asking = await fleet.untilSession('alpha', isAsked('Which colour'))
    expect(asking.attention).toContain('it asks: Which colour shall the button have?')
    expect(asking.question?.choices.map(({ label }) => label).slice(0, 3)).toEqual(['Red', 'Green', 'Blue'])
    await shows('alpha', /2 Green \(It is Green\.\)/)
    for (const wrong of ['9', '1,2']) {
      const refused = await fleet.run('answer', 'alpha', wrong)
      expect(refused).toMatchObject({ code: 2, stdout: '' })
    }
    expect((await fleet.run('answer', 'alpha', '1', '--question', 'of yesterday')).code).toBe(1)
    const both = await Promise.all([fleet.run('answer', 'alpha', '2'), fleet.run('answer', 'alpha', '3')])
    expect(new Set(both.map(({ code }) => code))).toEqual(new Set([0, 1]))
    const { sessionId } = await fleet.untilSession(
      'alpha',
      ({ phase, attention }) => phase === 'idle' && attention === null,
    )
    expect(said(sessionId)).toContain(both[0].code === 0 ? '="Green"' : '="Blue"')
    expect(turnsOf(sessionId)).toHaveLength(2)
    expect((await fleet.run('answer', 'alpha', '2')).code).toBe(1)
  })

  it("accepts a person's text as the answer", async () => {
    await begin('bravo', 'colour')
    await fleet.untilSession('bravo', isAsked('Which colour'))
    const { code, stdout } = await fleet.run('answer', 'bravo', 'make it 2 shades of grey', '--json')
    expect([code, JSON.parse(stdout)]).toEqual([0, { name: 'bravo', result: 'answered' }])
    const { sessionId } = await fleet.untilSession('bravo', ({ phase }) => phase === 'idle')
    expect(said(sessionId)).toContain('="make it 2 shades of grey"')
  })

  it('is followed by the next one that was asked with it, and both are submitted', async () => {
    await begin('charlie', 'two')
    await fleet.untilSession('charlie', isAsked(''))
    expect((await fleet.run('answer', 'charlie', '3')).code).toBe(0)
    const next = await fleet.untilSession(
      'charlie',
      ({ question }) => question?.asks === 'Which shall be offered?',
    )
    expect(next.question?.takesSeveral).toBe(true)
    expect((await fleet.run('answer', 'charlie', '1,3')).code).toBe(0)
    const { sessionId } = await fleet.untilSession('charlie', ({ phase }) => phase === 'idle')
    expect(said(sessionId)).toMatch(/="Blue".*="Red, Blue"/)
  })

  it("accepts a person's text as the only answer where several choices may be ticked", async () => {
    await begin('india', 'several')
    const { question } = await fleet.untilSession('india', isAsked(''))
    expect(question?.takesSeveral).toBe(true)
    // A choice that was ticked in the pane before is not part of the answer.
    fleet.tmux('send-keys', '-t', '=india:', '2')
    await until(
      'the tick',
      () => Promise.resolve(fleet.tmux('capture-pane', '-p', '-t', '=india:')),
      (shown) => shown.includes('[✔] Green'),
    )
    expect((await fleet.run('answer', 'india', 'none of them:\nwhite')).code).toBe(0)
    const { sessionId } = await fleet.untilSession('india', ({ phase }) => phase === 'idle')
    expect(said(sessionId)).toContain('="none of them: white"')
  })

  it('of the program, for a permission, is answered by number or name, and takes no other text', async () => {
    await begin('juliett', 'file')
    const asking = await fleet.untilSession('juliett', isAsked('made.txt'))
    expect(asking.attention).toContain('made.txt')
    expect(asking.question?.choices[0]).toMatchObject({ n: 1, label: 'Yes' })
    expect(await fleet.run('answer', 'juliett', 'as you like')).toMatchObject({ code: 2 })
    expect(existsSync(madeFile())).toBe(false)
    expect((await fleet.run('answer', 'juliett', 'yes')).code).toBe(0)
    const { sessionId } = await fleet.untilSession(
      'juliett',
      ({ phase, attention }) => phase === 'idle' && attention === null,
    )
    expect(readFileSync(madeFile(), 'utf8')).toBe('made')
    expect(turnsOf(sessionId)).toHaveLength(2)
  })

  it('of a stopped session cannot be answered', async () => {
    await fleet.run('stop', 'alpha')
    expect(await fleet.run('answer', 'alpha', '2')).toMatchObject({ code: 1 })
    expect((await fleet.run('answer', 'alpha')).code).toBe(2)
  })
})

describe('a task in the background', () => {
  it('law 6: is seen, delays a planned move for a bounded time, and the next process is told that it is lost', async () => {
    writeFileSync(holdFile(), '')
    use(0.97)
    await begin('delta', 'shell')
    const resting = await fleet.untilSession(
      'delta',
      ({ phase, background }) => phase === 'idle' && background !== undefined,
    )
    const seenAt = Date.now()
    expect(resting.background).toMatchObject([{ kind: 'shell', what: 'Run the long test suite' }])
    expect((await fleet.run('ls')).stdout).toMatch(/delta +idle, 1 task in the background/)
    await shows('delta', /shell: Run the long test suite/)
    const moved = await fleet.untilSession(
      'delta',
      ({ account, phase }) => account === 'max-2' && phase === 'idle',
    )
    expect(Date.parse(moved.rescueLog.at(-1)?.startedAt ?? '')).toBeGreaterThan(
      seenAt + backgroundWaitMax - 6_000,
    )
    const [notice, ...others] = turnsOf(moved.sessionId).slice(2)
    expect(promptsOf(notice!).at(-1)).toMatch(/the shell command "Run the long test suite"/)
    expect(others).toEqual([])
    rmSync(holdFile())
  })

  it('law 6: lets the session move as soon as it is done', async () => {
    writeFileSync(holdFile(), '')
    use(0.97)
    await begin('echo', 'shell')
    await fleet.untilSession('echo', ({ background }) => background !== undefined)
    expect((await fleet.show('echo')).account).toBe('max-1')
    rmSync(holdFile())
    const moved = await fleet.untilSession('echo', ({ account }) => account === 'max-2')
    expect(moved.rescueLog.at(-1)?.cause).toBe('near-limit')
    expect(said(moved.sessionId)).not.toContain('ended with the program')
  })
})

describe('a wall', () => {
  it('law 5: in a turn that had begun tasks: the next process is told what is lost, and its subagent goes on', async () => {
    writeFileSync(holdFile(), '')
    use(0.2)
    await begin('golf', 'shell subagent wall')
    const { sessionId, rescueLog } = await fleet.untilSession(
      'golf',
      ({ account, phase }) => account === 'max-2' && phase === 'idle',
    )
    expect(rescueLog.at(-1)?.cause).toBe('wall')
    const first = turnsOf(sessionId).find(({ account }) => account === 'max-2')!
    const text = promptsOf(first).at(-1)
    expect(text).toMatch(/^The usage limit was reached.*These were running in the background/)
    expect(text).toContain('the shell command "Run the long test suite"')
    expect(text).toMatch(/the subagent "Search the guides", which goes on/)
    const again = await fleet.world.standIn.waitForRequest(
      ({ subagent, account }) => subagent && account === 'max-2',
    )
    expect(conversationText(again)).toContain(subagentTask)
    expect(conversationText(again)).toContain('Go on searching.')
    rmSync(holdFile())
  })
})

/** The program wakes an agent a minute after the request at the earliest. */
describeByNight('a wake-up that the agent planned', () => {
  it('law 5: comes once, on time, though its process was replaced', async () => {
    use(0.2)
    await begin('foxtrot', 'wakeup')
    const { nextWakeUp } = await fleet.untilSession(
      'foxtrot',
      ({ phase, nextWakeUp: at }) => phase === 'idle' && at !== undefined,
    )
    expect((await fleet.run('ls')).stdout).toMatch(/foxtrot +idle, wakes up at/)
    await fleet.run('move', 'foxtrot', '--to', 'max-2')
    const { sessionId } = await fleet.untilSession(
      'foxtrot',
      ({ phase, account }) => phase === 'idle' && account === 'max-2',
    )
    expect(turnsOf(sessionId)).toHaveLength(2)
    await until(
      'the wake-up',
      () => Promise.resolve(turnsOf(sessionId).length),
      (count) => count > 2,
    )
    const woken = turnsOf(sessionId).at(-1)!
    expect(promptsOf(woken).at(-1)).toContain('Look at the build again.')
    expect(woken.account).toBe('max-2')
    expect(Date.parse(woken.at)).toBeGreaterThanOrEqual(Date.parse(nextWakeUp ?? ''))
    await fleet.untilSession('foxtrot', ({ phase, nextWakeUp: at }) => phase === 'idle' && at === undefined)
    // The engine's history holds no word of it (law 11).
    expect(existsSync(join(fleet.dir, 'state', 'temporal.db'))).toBe(true)
    expect(readFileSync(join(fleet.dir, 'state', 'temporal.db')).includes('Look at the build')).toBe(false)
    expect(turnsOf(sessionId)).toHaveLength(3)
  })
})
