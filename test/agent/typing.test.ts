/** What a person and Outpool type into the real agent program while the other has text in the input line. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import { byNight, isNight } from '../byNight.js'
import { promptsOf } from '../../lab/standin/requests.js'
import { fewRetries } from '../../lab/standin/wallCases.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { until } from '../../lab/until.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet
beforeAll(async () => {
  fleet = await startFleet({
    accounts: ['max-1', 'max-2'],
    agent: { command: agentProgram, env: fewRetries },
    config: { timing: { pollEvery: '1s', retryEvery: '15s' } },
  })
  for (const name of ['max-1', 'max-2'])
    fleet.world.standIn.account(name).windows({
      five_hour: { used: 0.2, resetsAt: hours(4) },
      seven_day: { used: 0.2, resetsAt: hours(90) },
    })
  await fleet.up()
  await fleet.untilRead()
})
afterAll(() => fleet.close())

const screen = (name: string): string => fleet.tmux('capture-pane', '-p', '-t', `=${name}:`)
const shows = (name: string, what: RegExp): Promise<string> =>
  until(
    `${String(what)} in the pane`,
    () => Promise.resolve(screen(name)),
    (shown) => what.test(shown),
  )
const turnsOf = (sessionId: string) => fleet.world.standIn.requests({ kind: 'turn', sessionId })

async function begin(name: string, prompt: string, cwd = fleet.world.cwd): Promise<string> {
  const start = await fleet.run('start', name, '--cwd', cwd, '--account', 'max-1', '--', prompt)
  expect(start).toMatchObject({ code: 0 })
  return (await fleet.untilSession(name, ({ phase }) => phase === 'idle')).sessionId
}

/** As a terminal does it when a person pastes. */
function paste(name: string, text: string): void {
  fleet.tmux('set-buffer', '-b', 'person', '--', text)
  fleet.tmux('paste-buffer', '-p', '-r', '-d', '-b', 'person', '-t', `=${name}:`)
}

const twelveLines = Array.from({ length: 12 }, (_, n) => `line ${n + 1} of a plan`).join('\n')

it('law 5: a pasted draft is put aside whole while a text is sent, and comes back whole', async () => {
  const sessionId = await begin('alpha', 'Hello.')
  paste('alpha', twelveLines)
  await shows('alpha', /\[Pasted text #1 \+11 lines\]/)
  expect(await fleet.run('send', 'alpha', 'a word', '--taken')).toMatchObject({ code: 0 })
  await shows('alpha', /❯\s\[Pasted text #1 \+11 lines\]/)
  fleet.tmux('send-keys', '-t', '=alpha:', 'Enter')
  await until(
    'the draft in a turn',
    () => Promise.resolve(turnsOf(sessionId)),
    (turns) => turns.length === 3,
  )
  const [, second, third] = promptsOf(turnsOf(sessionId).at(-1)!)
  expect(second).toBe('a word')
  expect(third).toContain(twelveLines)
})

it('law 5: a pasted draft goes along whole with a move, unsent', async () => {
  const sessionId = await begin('bravo', 'Hello.')
  paste('bravo', twelveLines)
  await shows('bravo', /\[Pasted text #1 \+11 lines\]/)
  await fleet.run('move', 'bravo', '--to', 'max-2')
  await fleet.untilSession('bravo', ({ phase, account }) => phase === 'idle' && account === 'max-2')
  await shows('bravo', /❯\s\[Pasted text #1 \+11 lines\]/)
  expect(turnsOf(sessionId)).toHaveLength(1)
  // An Enter right after a paste is taken as part of it.
  const turns = await until(
    'the draft in a turn',
    () => {
      if (/❯\s\[Pasted text/.test(screen('bravo'))) fleet.tmux('send-keys', '-t', '=bravo:', 'Enter')
      return Promise.resolve(turnsOf(sessionId))
    },
    ({ length }) => length === 2,
  )
  expect(promptsOf(turns.at(-1)!).at(-1)).toContain(twelveLines)
})

it('law 5: a draft that a person put aside themselves is lost neither to a text nor to a move', async () => {
  const sessionId = await begin('charlie', 'Hello.')
  paste('charlie', 'put aside by hand')
  await shows('charlie', /put aside by hand/)
  fleet.tmux('send-keys', '-t', '=charlie:', 'C-s')
  await shows('charlie', /draft stashed/)
  paste('charlie', 'and another thought')
  await shows('charlie', /and another thought/)
  expect(await fleet.run('send', 'charlie', 'a word')).toMatchObject({ code: 0 })
  const notified = await fleet.untilSession('charlie', ({ attention }) => attention !== null)
  expect(notified.attention).toMatch(/a text waits: its input line holds a draft/)
  await fleet.run('move', 'charlie', '--to', 'max-2')
  await until(
    'the text',
    () => Promise.resolve(turnsOf(sessionId)),
    (turns) => turns.length === 2,
  )
  expect(promptsOf(turnsOf(sessionId).at(-1)!).at(-1)).toBe('a word')
  await shows('charlie', /❯\sput aside by hand\s+and another thought/)
  await fleet.untilSession('charlie', ({ attention }) => attention === null)
})

const firstPrompts = [
  { name: 'delta', prompt: 'delete the\u200b old backups' },
  { name: 'echo', prompt: '/compact is a word here' },
  { name: 'foxtrot', prompt: 'exit' },
]
it.each(isNight ? firstPrompts : firstPrompts.slice(0, 1))(
  'law 13: a first prompt is not repeated at a move, whatever characters it holds or command it begins with: $name',
  async ({ name, prompt }) => {
    const sessionId = await begin(name, prompt)
    await fleet.run('move', name, '--to', 'max-2')
    await fleet.untilSession(name, ({ phase, account }) => phase === 'idle' && account === 'max-2')
    expect(await fleet.run('send', name, 'Still there?', '--taken')).toMatchObject({ code: 0 })
    await fleet.untilSession(name, ({ phase }) => phase === 'idle')
    const prompts = promptsOf(turnsOf(sessionId).at(-1)!)
    expect(prompts).toHaveLength(2)
    expect(prompts.at(-1)).toBe('Still there?')
  },
)

it('a command of the agent’s own runs as one, and its sender learns of one that does not exist', async () => {
  const sessionId = await begin('golf', 'Hello.')
  expect(await fleet.run('send', 'golf', '--command', '/compact', '--taken')).toMatchObject({ code: 0 })
  expect(screen('golf')).toMatch(/Compacted/)
  const refused = await fleet.run('send', 'golf', '--command', '/no-such-command', '--taken')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('Unknown command: /no-such-command')
  expect(await fleet.run('send', 'golf', '/compact is a word here', '--taken')).toMatchObject({ code: 0 })
  await until(
    'the words in a turn',
    () => Promise.resolve(promptsOf(turnsOf(sessionId).at(-1)!).at(-1)),
    (said) => said?.includes('/compact is a word here') === true,
  )
  const cleared = await fleet.run('send', 'golf', '--command', '/clear', '--taken')
  expect(cleared).toMatchObject({ code: 0 })
})

it("law 13: an agent that got a person's prompt after an error is not told to go on", async () => {
  const sessionId = await begin('hotel', 'Hello.')
  fleet.world.standIn.account('max-1').fail('overloaded', 1 + Number(fewRetries.CLAUDE_CODE_MAX_RETRIES))
  await fleet.run('send', 'hotel', 'The long task.')
  const paused = await fleet.untilSession('hotel', ({ parkedUntil }) => parkedUntil !== null)
  expect(paused.attention).toBeNull()
  paste('hotel', 'Never mind.')
  await shows('hotel', /❯\sNever mind\./)
  fleet.tmux('send-keys', '-t', '=hotel:', 'Enter')
  await fleet.untilSession('hotel', ({ phase, parkedUntil }) => phase === 'idle' && parkedUntil === null)
  expect(await fleet.run('send', 'hotel', 'Still there?', '--taken')).toMatchObject({ code: 0 })
  await fleet.untilSession('hotel', ({ phase }) => phase === 'idle')
  expect(promptsOf(turnsOf(sessionId).at(-1)!).map((said) => said.trim())).toEqual([
    'Hello.',
    'The long task.',
    'Never mind.',
    'Still there?',
  ])
})

it('law 5: a text stays plain text in a line that a person left in shell mode, or scrolled back in', async () => {
  const sessionId = await begin('india', 'Hello.')
  fleet.tmux('send-keys', '-t', '=india:', '!')
  await shows('india', /for shell mode/)
  expect(await fleet.run('send', 'india', 'touch made-by-a-text', '--taken')).toMatchObject({ code: 0 })
  expect(existsSync(join(fleet.world.cwd, 'made-by-a-text'))).toBe(false)
  paste('india', twelveLines)
  await shows('india', /\[Pasted text #\d+ \+11 lines\]/)
  fleet.tmux('copy-mode', '-t', '=india:')
  expect(await fleet.run('send', 'india', 'a word', '--taken')).toMatchObject({ code: 0 })
  fleet.tmux('copy-mode', '-t', '=india:')
  await fleet.run('move', 'india', '--to', 'max-2')
  await fleet.untilSession('india', ({ phase, account }) => phase === 'idle' && account === 'max-2')
  await shows('india', /❯\s\[Pasted text #1 \+11 lines\]/)
  const said = promptsOf(turnsOf(sessionId).at(-1)!).map((prompt) => prompt.trim())
  expect(said).toEqual(['Hello.', 'touch made-by-a-text', 'a word'])
})

byNight('law 5: a shell command that was begun goes along with a move as one, and is not run', async () => {
  await begin('oscar', 'Hello.')
  fleet.tmux('send-keys', '-t', '=oscar:', '!')
  await shows('oscar', /for shell mode/)
  fleet.tmux('send-keys', '-t', '=oscar:', '-l', 'touch made-by-a-draft')
  await shows('oscar', /^!\s+touch made-by-a-draft/m)
  await fleet.run('move', 'oscar', '--to', 'max-2')
  await fleet.untilSession('oscar', ({ phase, account }) => phase === 'idle' && account === 'max-2')
  await shows('oscar', /^!\s+touch made-by-a-draft/m)
  const made = join(fleet.world.cwd, 'made-by-a-draft')
  expect(existsSync(made)).toBe(false)
  await until(
    'the command',
    () => {
      if (/^!\s+touch/m.test(screen('oscar'))) fleet.tmux('send-keys', '-t', '=oscar:', 'Enter')
      return Promise.resolve(existsSync(made))
    },
    (isMade) => isMade,
  )
})

it('a session whose context is full accepts the command that makes room', async () => {
  await begin('juliet', 'Hello.')
  const account = fleet.world.standIn.account('max-1').fail('prompt-too-long')
  await fleet.run('send', 'juliet', 'One thing more.')
  const full = await fleet.untilSession('juliet', ({ phase }) => phase === 'waiting')
  expect(full.attention).toContain('its context is full')
  account.heal()
  expect(await fleet.run('send', 'juliet', '--command', '/compact', '--taken')).toMatchObject({ code: 0 })
  expect(screen('juliet')).toMatch(/Compacted/)
})

it('law 10: a command that opens a panel is refused to its sender, and holds no later text', async () => {
  const sessionId = await begin('kilo', 'Hello.')
  for (const command of ['/status', '/config', '/model']) {
    const refused = await fleet.run('send', 'kilo', '--command', command, '--taken')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain(`${command} opens a panel; attach to use it`)
    await shows('kilo', /❯\s*\n─+/)
  }
  expect(await fleet.run('send', 'kilo', 'a word', '--taken')).toMatchObject({ code: 0 })
  expect(promptsOf(turnsOf(sessionId).at(-1)!).at(-1)).toBe('a word')
  expect((await fleet.show('kilo')).attention).toBeNull()
})

it('law 6: a panel is left to a person who is attached, and closed once they have gone, also where it is cut by their small terminal', async () => {
  const sessionId = await begin('lima', 'Hello.')
  fleet.tmuxOf(
    'person',
    'new-session',
    '-d',
    '-s',
    'p',
    'tmux',
    '-S',
    fleet.tmuxSocket,
    'attach',
    '-t',
    '=lima',
  )
  try {
    await until(
      'the person',
      () => Promise.resolve(fleet.tmux('list-clients', '-t', '=lima')),
      (clients) => clients !== '',
    )
    await fleet.run('send', 'lima', '--command', '/status')
    await fleet.run('send', 'lima', 'a word')
    await fleet.untilSession('lima', ({ attention }) => /dialog open/.test(attention ?? ''))
    expect(screen('lima')).toMatch(/Settings\s+Status/)
  } finally {
    fleet.tmuxOf('person', 'kill-server')
  }
  await until(
    'the text',
    () => Promise.resolve(turnsOf(sessionId)),
    (turns) => turns.length === 2,
  )
})

/** The ways in which a hook refuses a prompt. */
const refusals = {
  'its exit status': 'echo "no such words" >&2; exit 2',
  'a decision': `echo '{"decision":"block","reason":"no such words"}'`,
  'a stop': `echo '{"continue":false,"stopReason":"no such words"}'`,
}

/** A folder to work in, and settings that refuse a word in a prompt: the user's own on max-1, or those of the folder. */
function refusingFolder(
  whose: 'user' | 'project',
  how: keyof typeof refusals,
  event = 'UserPromptSubmit',
): string {
  const cwd = join(fleet.dir, `refusing-${event}-${whose}-${how.replaceAll(' ', '-')}`)
  mkdirSync(join(cwd, '.claude'), { recursive: true })
  const hook = join(cwd, 'hook.sh')
  writeFileSync(hook, `#!/bin/sh\ngrep -q forbidden || exit 0\n${refusals[how]}\n`, { mode: 0o755 })
  const settings = { hooks: { [event]: [{ hooks: [{ type: 'command', command: hook }] }] } }
  const file = { user: join(fleet.world.dir, 'logins', 'max-1'), project: join(cwd, '.claude') }[whose]
  writeFileSync(join(file, 'settings.json'), JSON.stringify(settings))
  return cwd
}

const timesRefused = (transcript: string | null): number =>
  readFileSync(transcript ?? '', 'utf8').match(/"promptSubmitEnding":/g)?.length ?? 0

it('law 13: a turn that a hook on tools stops is over, with the reason; the agent is told nothing, also after it was killed', async () => {
  const cwd = refusingFolder('project', 'a stop', 'PreToolUse')
  expect((await fleet.run('trust', cwd)).code).toBe(0)
  const max1 = fleet.world.standIn.account('max-1')
  const command = { command: 'echo forbidden', description: 'say it' }
  max1.answer(({ request, turn }) =>
    promptsOf(request).at(-1) === 'Use a tool.'
      ? { text: 'I do.', tools: [{ name: 'Bash', input: command }] }
      : `Answer ${turn}.`,
  )
  try {
    const sessionId = await begin('sierra', 'Use a tool.', cwd)
    const { pid } = await fleet.untilSession(
      'sierra',
      ({ phase, attention }) =>
        phase === 'idle' &&
        attention?.startsWith('a hook on PreToolUse stopped its turn: "no such words"; tell it') === true,
    )
    process.kill(pid!, 'SIGKILL')
    await fleet.untilSession(
      'sierra',
      (now) => now.phase === 'idle' && now.pid !== null && now.pid !== pid && now.rescueLog.length === 1,
    )
    expect(turnsOf(sessionId)).toHaveLength(1)
    expect(await fleet.run('send', 'sierra', 'a word', '--taken')).toMatchObject({ code: 0 })
    await fleet.untilSession('sierra', ({ phase, attention }) => phase === 'idle' && attention === null)
    expect(promptsOf(turnsOf(sessionId).at(-1)!)).toEqual(['Use a tool.', 'a word'])
  } finally {
    max1.answer(null)
  }
})

/** The user's own settings come last: from then on they hold for every session on max-1. */
const refusalCases = [
  ...(isNight
    ? ([
        ['project', 'a decision', 'papa'],
        ['project', 'its exit status', 'mike'],
        ['project', 'a stop', 'quebec'],
      ] as const)
    : []),
  ['user', 'its exit status', 'romeo'],
] as const
it.each(refusalCases)(
  'law 13: a text that a hook in the settings of the %s refuses by %s is typed once, and later texts go on',
  async (whose, how, name) => {
    const cwd = refusingFolder(whose, how)
    expect((await fleet.run('trust', cwd)).code).toBe(0)
    const sessionId = await begin(name, 'Hello.', cwd)
    const refused = await fleet.run('send', name, 'a forbidden word', '--taken')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('a hook on UserPromptSubmit refused it: "no such words"')
    const notified = await fleet.untilSession(name, ({ phase }) => phase === 'idle')
    expect(notified.attention).toMatch(/a text of 16 characters was not taken: a hook .* "no such words"/)
    expect(await fleet.run('send', name, 'a word', '--taken')).toMatchObject({ code: 0 })
    const after = await fleet.untilSession(name, ({ phase }) => phase === 'idle')
    expect(after.attention).toBeNull()
    expect(timesRefused(after.transcript)).toBe(1)
    // A text whose turn was stopped stays in the conversation.
    const kept = how === 'a stop' ? ['a forbidden word', 'Operation stopped by hook: no such words'] : []
    const said = promptsOf(turnsOf(sessionId).at(-1)!)
    expect(said.flatMap((text) => text.split('\n')).filter((line) => line !== '')).toEqual([
      'Hello.',
      ...kept,
      'a word',
    ])
    await shows(name, /❯\s*\n─+/)
  },
)

it('law 13 and 15: hooks of a project act once it is trusted; a first prompt that one refuses is submitted once, and its session says so', async () => {
  const cwd = refusingFolder('project', 'its exit status')
  await fleet.run('trust', cwd, '--revoke')
  const refused = await fleet.run('start', 'november', '--cwd', cwd, '--', 'a forbidden word')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain(
    `settings.json sets hooks\n  -> look at them, then run: outpool trust ${cwd}`,
  )
  expect((await fleet.run('trust', cwd)).stdout).toContain('settings.json sets hooks')
  const sessionId = await begin('november', 'a forbidden word', cwd)
  const notified = await fleet.untilSession('november', ({ attention }) => attention !== null)
  expect(notified.attention).toMatch(/its first prompt was not taken: a hook .* "no such words"/)
  expect(await fleet.run('send', 'november', 'a word', '--wait')).toMatchObject({ code: 0 })
  // Whatever has changed the settings since: the next launch is refused until a person has looked at them.
  await fleet.run('trust', cwd, '--revoke')
  await fleet.run('move', 'november', '--to', 'max-2')
  const parked = await fleet.untilSession('november', ({ phase }) => phase === 'parked')
  expect(parked.attention).toContain(`settings.json sets hooks; look at them, then run: outpool trust ${cwd}`)
  await fleet.run('trust', cwd)
  const moved = await fleet.untilSession(
    'november',
    ({ account, phase }) => account === 'max-2' && phase === 'idle',
  )
  expect(timesRefused(moved.transcript)).toBe(1)
  expect(promptsOf(turnsOf(sessionId).at(-1)!)).toEqual(['a word'])
})
