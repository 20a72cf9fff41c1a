/** What is typed and pasted into the program. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { claudeCode } from '../../agents/claude-code/index.js'
import { promptsOf } from '../../lab/standin/requests.js'
import { type Checks, expectThat, type Scene } from '../checks.js'
import { Agent } from './agent.js'
import { type Context, manualMode } from './context.js'

const twelveLines = Array.from({ length: 12 }, (_, n) => `line ${n + 1} of a plan`).join('\n')
const slow = 'Take your time.'
const useTool = 'Read it.'

export const typing: Scene<Context> = {
  name: 'typing',
  covers: [
    ...[
      'draft-on-screen',
      'paste-envelope',
      'pasted-block-is-words',
      'blank-before-bang',
      'unknown-command-row',
    ],
    ...['draft-scrolls', 'draft-behind-history', 'hook-stop-row'],
    ...['panel-escape', 'hook-refusal-row', 'stash-key', 'draft-to-editor', 'queue-rows', 'prompt-report'],
    'command-row',
  ],
  async run({ harness, world }, checks) {
    const hook = join(harness.dir, 'refuse.sh')
    writeFileSync(hook, '#!/bin/sh\ngrep -q forbidden || exit 0\necho "no such words" >&2\nexit 2\n')
    // In its own folder, where no permission is asked for.
    const notes = join(world.cwd, 'notes.txt')
    writeFileSync(notes, 'a note')
    let letGo = (): void => undefined
    const gate = new Promise<void>((resolve) => (letGo = resolve))
    world.standIn.account('typist').answer(async ({ request, turn }) => {
      const asked = promptsOf(request).at(-1)
      if (asked === slow) await gate
      if (asked === useTool) return { tools: [{ name: 'Read', input: { file_path: notes } }] }
      return `Answer ${turn}.`
    })
    const stopHook = join(harness.dir, 'stop.sh')
    writeFileSync(stopHook, `#!/bin/sh\necho '{"continue":false,"stopReason":"no such tools"}'\n`)
    for (const file of [hook, stopHook]) chmodSync(file, 0o755)
    const running = (command: string) => [{ hooks: [{ type: 'command', command }] }]
    const hooks = { UserPromptSubmit: running(hook), PreToolUse: running(stopHook) }
    const place = harness.place(world.login('typist', { settings: { hooks } }), 'typist')
    const agent = await Agent.launch(harness, place, { session: 'type' }, manualMode)
    await agent.atRest()
    await drafts(checks, agent)
    await words(checks, agent)
    await commands(checks, agent)
    try {
      await queue(checks, agent, letGo)
    } finally {
      letGo()
    }
    await agent.atRest()
    await checks.holds('command-row', async () => {
      await agent.command('/compact')
      await agent.tail(({ commands }) => commands.some(({ refusal }) => refusal === null))
    })
    await agent.end()
  },
}

async function drafts(checks: Checks, agent: Agent): Promise<void> {
  await checks.holds('draft-on-screen', async () => {
    const draft = await agent.draft('a thought of a person')
    expectThat(draft === 'a thought of a person', `it is read as ${JSON.stringify(draft)}`)
    await agent.clearDraft()
  })
  await checks.holds('draft-scrolls', async () => {
    for (let n = 1; n <= 60; n++) {
      await agent.pane.keys('-l', `line ${n}`)
      await agent.pane.keys('C-j')
    }
    await agent.until('the edges', async () => {
      const screen = await agent.pane.screen()
      return claudeCode.takesInput(screen) && !claudeCode.showsWholeDraft(screen) ? true : null
    })
    await agent.clearDraft()
  })
  await checks.holds('stash-key', async () => {
    await agent.draft('put aside')
    await agent.pane.keys(...claudeCode.stashKeys)
    await agent.until('the stashed draft', async () =>
      claudeCode.hasStashedDraft(await agent.pane.screen()) ? true : null,
    )
    const before = agent.turns().length
    await agent.say('A word.')
    await agent.until('the turn', () => agent.turns()[before] ?? null)
    await agent.until('the draft to come back', async () =>
      claudeCode.readDraft(await agent.pane.screen()) === 'put aside' ? true : null,
    )
    await agent.clearDraft()
  })
  await agent.atRest()
  await checks.holds('draft-behind-history', async () => {
    await agent.draft('a thought of a person')
    await agent.pane.keys('Up')
    await agent.until('an earlier prompt', async () =>
      claudeCode.showsEarlierPrompt(await agent.pane.screen()) ? true : null,
    )
    await agent.until('the draft again', async () => {
      const screen = await agent.pane.screen()
      if (!claudeCode.showsEarlierPrompt(screen))
        return claudeCode.readDraft(screen) === 'a thought of a person' ? true : null
      await agent.pane.keys(...claudeCode.leaveHistoryKeys)
      await wait(300)
      return null
    })
    await agent.clearDraft()
  })
  await agent.atRest()
  await checks.holds('draft-to-editor', async () => {
    const folder = join(agent.input.launchDir, 'drafts')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'wanted'), '')
    await agent.draft(twelveLines)
    await agent.pane.keys(...claudeCode.exportDraftKeys)
    const file = join(folder, 'draft')
    const text = await agent.until('the draft', () => (existsSync(file) ? readFileSync(file, 'utf8') : null))
    expectThat(text.includes(twelveLines), 'the editor gets another text')
    await agent.atRest()
    await agent.clearDraft()
  })
}

async function words(checks: Checks, agent: Agent): Promise<void> {
  const promptFor = async (text: string): Promise<string> => {
    const before = agent.turns().length
    await agent.say(text)
    return promptsOf(await agent.answered(before + 1)).at(-1) ?? ''
  }
  await checks.holds('paste-envelope', async () => {
    await promptFor(twelveLines)
    expectThat(
      /<pasted_content id=/.test(readFileSync(await agent.transcript(), 'utf8')),
      'there is no <pasted_content> in the transcript',
    )
    const wanted = claudeCode.fingerprint(twelveLines)
    await agent.tail(({ prompts }) => prompts.some((one) => claudeCode.fingerprint(one) === wanted))
  })
  await checks.holds('pasted-block-is-words', async () => {
    for (const text of ['/no-such-command is a word here', 'exit']) {
      const prompt = await promptFor(text)
      expectThat(prompt.includes(text), `${text} was sent as ${JSON.stringify(prompt)}`)
    }
  })
  await checks.holds('blank-before-bang', async () => {
    const prompt = await promptFor('!touch made-by-a-text')
    expectThat(prompt.includes('!touch'), `it was sent as ${JSON.stringify(prompt)}`)
    expectThat(!existsSync(join(agent.input.cwd, 'made-by-a-text')), 'it was run in a shell')
  })
}

async function commands(checks: Checks, agent: Agent): Promise<void> {
  await checks.holds('unknown-command-row', async () => {
    await agent.command('/no-such-command')
    await agent.tail((tail) =>
      tail.commands.some(({ refusal }) => refusal?.includes('/no-such-command') === true),
    )
  })
  await agent.atRest()
  await checks.holds('panel-escape', async () => {
    await agent.command('/status')
    await agent.until('the panel', async () =>
      claudeCode.showsPanel(await agent.pane.screen()) ? true : null,
    )
    await agent.until('the panel to close', async () => {
      await agent.pane.keys(...claudeCode.closePanelKeys)
      await wait(300)
      return claudeCode.showsPanel(await agent.pane.screen()) ? null : true
    })
  })
  await agent.atRest()
  await checks.holds('hook-refusal-row', async () => {
    const before = agent.turns().length
    // It comes back to the input line, so that another Enter would submit it again.
    await agent.draft('a forbidden word')
    await agent.pane.keys('Enter')
    await agent.tail(({ blocked }) => blocked.some(({ reason }) => reason.includes('no such words')))
    expectThat(agent.turns().length === before, 'it was sent all the same')
  })
  await agent.atRest()
  await agent.clearDraft()
  await checks.holds('hook-stop-row', async () => {
    const before = agent.turns().length
    await agent.say(useTool)
    const { last } = await agent.tail((tail) => tail.last?.kind === 'stopped')
    const isNamed = last?.kind === 'stopped' && last.hook === 'PreToolUse' && last.reason === 'no such tools'
    expectThat(isNamed, `it is read as ${JSON.stringify(last)}`)
    await agent.atRest()
    expectThat(agent.turns().length === before + 1, 'the turn went on')
    const end = await claudeCode.readEnd(await agent.transcript())
    expectThat(end?.turn === 'ended', `the turn is read as ${String(end?.turn)}`)
  })
  await agent.atRest()
}

async function queue(checks: Checks, agent: Agent, letGo: () => void): Promise<void> {
  const before = agent.turns().length
  const started = (): number => agent.reports('turn-started').length
  const startedBefore = started()
  await agent.say(slow)
  await agent.until('the request', () => agent.turns()[before] ?? null)
  await checks.holds('queue-rows', async () => {
    await agent.say('And this later.')
    await agent.tail(({ queued }) => queued.includes('And this later.'))
    letGo()
    await agent.tail(({ queued, prompts }) => queued.length === 0 && prompts.includes('And this later.'))
  })
  await checks.holds('prompt-report', () =>
    agent.until('a report of both prompts', () => (started() >= startedBefore + 2 ? true : null)),
  )
}
