/** The adapter and the real program together: the program does what the adapter plans. */
import { randomUUID } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { byNight } from '../byNight.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { PaneHarness, until } from '../../lab/paneHarness.js'
import { instantsFrom } from '../../lab/standin/wallCases.js'

let harness: PaneHarness
beforeAll(async () => {
  harness = await PaneHarness.start()
})
afterAll(() => harness.stop())

let fence = 0
beforeEach(() => {
  fence += 1
})

const inputBox = /\n[^\n]*❯/

/** The product's own minimum pause between two keys to a dialog. */
const keyEvery = 300

describe('a login dir that was never used interactively', () => {
  it('shows no dialog at all, in a linked worktree of a repository that is not trusted yet', async () => {
    const repository = join(harness.dir, 'repository')
    const worktree = join(harness.dir, 'elsewhere', 'tree')
    mkdirSync(repository)
    const git = (...args: string[]): string =>
      execFileSync(
        'git',
        ['-C', repository, '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args],
        {
          encoding: 'utf8',
          env: harness.world.env(null),
        },
      )
    git('init', '-q')
    git('commit', '-q', '--allow-empty', '-m', 'first')
    git('worktree', 'add', '-q', worktree)
    const login = harness.world.login('fresh', { onboarded: false, trusted: [] })
    const input = harness.input(harness.place(login), {
      sessionId: randomUUID(),
      fence,
      cwd: worktree,
      prompt: 'hello',
    })
    const pane = await harness.launch(input)
    await harness.report('turn-ended', (report) => report.fence === fence)
    expect(claudeCode.readDialog(await pane.screen())).toBeNull()
    expect(claudeCode.readDraft(await pane.screen())).toBeNull()
    expect(harness.world.standIn.requests({ account: 'fresh' }).length).toBeGreaterThan(0)
  })

  it('shows no dialog with an API key and permissions bypassed', async () => {
    const login = harness.world.login('keyed', { kind: 'api-key', onboarded: false })
    writeFileSync(join(login.configDir, '.claude.json'), '{}')
    const input = harness.input(harness.place(login), { sessionId: randomUUID(), fence, prompt: 'hello' })
    input.command.args.push('--dangerously-skip-permissions')
    input.command.env['IS_SANDBOX'] = '1'
    const pane = await harness.launch(input)
    await harness.report('turn-ended', (report) => report.fence === fence)
    const screen = await pane.screen()
    expect(claudeCode.readDialog(screen)).toBeNull()
    expect(screen).toMatch(/bypass permissions on/)
  })

  it('the keys given for the trust dialog accept it', async () => {
    const login = harness.world.login('distrust', { trusted: [] })
    const strange = join(harness.dir, 'strange')
    mkdirSync(strange)
    const input = harness.input(harness.place(login), { sessionId: randomUUID(), fence })
    const pane = await harness.launch({ ...input, cwd: harness.world.cwd })
    // A TERM in the first moments of the program is lost.
    await until('the input box', async () => (/auto mode on/.test(await pane.screen()) ? true : null))
    await pane.end()
    // Launched without being prepared for this folder.
    const { argv, env } = await claudeCode.planLaunch({ ...input, cwd: strange, sessionId: randomUUID() })
    const commandWords = [...Object.entries(env).map(([key, value]) => `${key}=${value}`), ...argv]
    await harness.tmux(
      'new-session',
      '-d',
      '-s',
      'strange',
      '-x',
      '120',
      '-y',
      '50',
      '-c',
      strange,
      'env',
      '-i',
      ...commandWords,
      ...[';', 'set-option', 'remain-on-exit', 'on'],
    )
    const screen = async (): Promise<string> => {
      const shown = await harness.tmux('capture-pane', '-pe', '-t', 'strange')
      if (/^Pane is dead/m.test(shown)) throw new Error(`the program ended:\n${shown}`)
      return shown
    }
    const dialog = await until('the trust dialog', async () => claudeCode.readDialog(await screen(), strange))
    expect(dialog).toMatchObject({ name: 'trust', safeKeys: ['End'] })
    expect(claudeCode.readDialog(await screen(), harness.dir)?.safeKeys).toBeNull()
    // The program does not listen from its first picture on, and one that has just moved its cursor still
    // confirms the choice before: as in the product, a key is sent when the picture has been unchanged for a
    // while, and again while the dialog is open.
    let before = { screen: '', since: 0 }
    await until('the dialog to be answered', async () => {
      const now = await screen()
      const open = claudeCode.readDialog(now, strange)
      if (open === null) return /auto mode on/.test(now) ? true : null
      expect(open.name).toBe('trust')
      if (now !== before.screen) before = { screen: now, since: Date.now() }
      if (Date.now() - before.since < keyEvery) return null
      await harness.tmux('send-keys', '-t', 'strange', ...(open.safeKeys ?? []))
      before.since = Date.now()
      return null
    })
  })
})

describe('a session', () => {
  it('reports its life, keeps the hooks and the status line of its user, and leaves no text of a person behind', async () => {
    const login = harness.world.login('user', {
      settings: {
        statusLine: { type: 'command', command: 'printf "mine: %s" "$(wc -c | tr -d " ")"', padding: 1 },
        hooks: {
          Stop: [{ hooks: [{ type: 'command', command: `echo stopped >> ${harness.dir}/user-hook` }] }],
        },
      },
    })
    const { soon, later } = instantsFrom(new Date())
    harness.world.standIn
      .account('user')
      .windows({
        five_hour: { used: 0.37, resetsAt: soon },
        seven_day: { used: 0.61, resetsAt: later },
      })
      .answer('the answer that stays private')
    const sessionId = randomUUID()
    const place = harness.place(login)
    const pane = await harness.launch(
      harness.input(place, { sessionId, fence, prompt: 'a prompt that stays private' }),
    )
    const started = await harness.report('started', (report) => report.fence === fence)
    expect(started).toMatchObject({ session: 'garden', sessionId, source: 'startup' })
    await harness.report('turn-started', (report) => report.fence === fence)
    await harness.report('turn-ended', (report) => report.fence === fence)
    const quota = await harness.report('quota', (report) => report.fence === fence)
    expect(quota.windows).toMatchObject([
      { name: 'five_hour', used: 0.37, resetsAt: soon.toISOString(), source: 'status-line' },
      { name: 'seven_day', used: 0.61, resetsAt: later.toISOString() },
    ])
    await pane.untilShown(/mine: \d{3,}/)
    await until("the user's own hook", () => readFileSync(join(harness.dir, 'user-hook'), 'utf8') || null)
    // A name with a dot is a report that is just being written.
    for (const name of readdirSync(harness.reportDir).filter((name) => !name.startsWith('.')))
      expect(readFileSync(join(harness.reportDir, name), 'utf8')).not.toMatch(/stays private/)

    const transcript = await claudeCode.findTranscript(place, sessionId)
    expect(transcript).toBe(started.transcript)
    const tail = await until('the answer in the transcript', async () => {
      const tail = await claudeCode.readTail(transcript!, 0)
      return tail.last === null ? null : tail
    })
    expect(tail).toMatchObject({ last: { kind: 'answer' }, prompts: ['a prompt that stays private'] })
    const live = await until('idle', async () => {
      const [state] = await claudeCode.readLiveStates(place)
      return state?.activity === 'idle' ? state : null
    })
    expect(live).toMatchObject({ sessionId, waitingFor: null })
    await pane.end()
    expect(await harness.report('ended', (report) => report.fence === fence)).toMatchObject({
      reason: 'other',
    })
    expect(await claudeCode.readLiveStates(place)).toEqual([])
  })

  byNight('law 5: walled on one account, it goes on with everything it knew on another', async () => {
    const [from, to] = [harness.world.login('first'), harness.world.login('second')]
    const reset = new Date(Math.ceil(Date.now() / 60_000) * 60_000 + 3_600_000)
    harness.world.standIn.account('first').answer('I remember the word heliotrope.')
    const sessionId = randomUUID()
    const [fromPlace, toPlace] = [harness.place(from, 'first'), harness.place(to, 'second')]
    const pane = await harness.launch(
      harness.input(fromPlace, { sessionId, fence, prompt: 'remember a word' }),
    )
    await harness.report('turn-ended', (report) => report.fence === fence)
    harness.world.standIn.account('first').wall('five_hour', reset)
    await pane.untilShown(inputBox)
    await pane.keys('-l', 'go on')
    await pane.keys('Enter')
    const failed = await harness.report('turn-failed', (report) => report.fence === fence)
    expect(failed).toMatchObject({ error: 'rate_limit', subagent: false })
    const transcript = await until('the transcript', () => claudeCode.findTranscript(fromPlace, sessionId))
    const failure = await until('the wall in the transcript', async () => {
      const { last } = await claudeCode.readTail(transcript, 0)
      return last?.kind === 'failure' ? last.failure : null
    })
    expect(failure).toMatchObject({
      class: 'wall',
      wall: { kind: 'five_hour', scope: 'account', resetsAt: reset.toISOString() },
    })
    // Auto-continue is off: the menu is there instead, and Escape leaves it.
    const dialog = await until('the limit menu', async () => claudeCode.readDialog(await pane.screen()))
    expect(dialog).toMatchObject({ name: 'limit-menu', safeKeys: ['Escape'] })
    await until('the dialog in the live state', async () => {
      const [live] = await claudeCode.readLiveStates(fromPlace)
      return live?.activity === 'waiting' && live.waitingFor === 'dialog open' ? live : null
    })
    await pane.end()

    const carried = await claudeCode.carry({ sessionId, from: fromPlace, to: toPlace })
    expect(readFileSync(carried.transcript)).toEqual(readFileSync(transcript))
    fence += 1
    const resumed = await harness.launch(
      harness.input(toPlace, { sessionId, fence, mode: 'resume', prompt: 'Which word was it?' }),
    )
    await harness.report('turn-ended', (report) => report.fence === fence)
    expect(await harness.report('started', (report) => report.fence === fence)).toMatchObject({
      sessionId,
      source: 'resume',
    })
    const [request] = harness.world.standIn
      .requests({ account: 'second' })
      .filter(({ kind }) => kind === 'turn')
    const sent = JSON.stringify(request!.messages)
    expect(sent).toMatch(/remember a word.*heliotrope.*Which word was it\?/s)
    const tail = await until('the answer in the transcript', async () => {
      const tail = await claudeCode.readTail(carried.transcript, carried.bytes)
      return tail.last === null ? null : tail
    })
    expect(tail).toMatchObject({ last: { kind: 'answer' }, prompts: ['Which word was it?'] })
    // The old wall is printed again in the new pane, and does not count.
    expect(claudeCode.readDialog(await resumed.screen())).toBeNull()
    await resumed.end()
  })

  it('a text sent while the agent works is queued first, and taken at the next pause', async () => {
    const login = harness.world.login('queue')
    let letGo = (): void => undefined
    const gate = new Promise<void>((resolve) => (letGo = resolve))
    harness.world.standIn.account('queue').answer(async ({ turn }) => {
      if (turn === 1) await gate
      return `answer ${turn}`
    })
    const sessionId = randomUUID()
    const place = harness.place(login)
    const pane = await harness.launch(harness.input(place, { sessionId, fence, prompt: 'first' }))
    await harness.report('turn-started', (report) => report.fence === fence)
    await until('busy', async () =>
      (await claudeCode.readLiveStates(place))[0]?.activity === 'busy' ? true : null,
    )
    await pane.keys('-l', 'second')
    await until('the draft', async () => claudeCode.readDraft(await pane.screen()))
    await pane.keys('Enter')
    const transcript = await until('the transcript', () => claudeCode.findTranscript(place, sessionId))
    // A slow program writes what was queued before the prompt that it works on.
    const queued = await until('the queue', async () => {
      const tail = await claudeCode.readTail(transcript, 0)
      return tail.queued.length > 0 && tail.prompts.length > 0 ? tail : null
    })
    expect(queued).toMatchObject({ queued: ['second'], prompts: ['first'] })
    letGo()
    const entries = await until('the text to be taken', async () => {
      const tail = await claudeCode.readTail(transcript, 0)
      return tail.prompts.length > 1 ? tail : null
    })
    expect(entries).toMatchObject({ queued: [], prompts: ['first', 'second'] })
    await pane.end()
  })
})
