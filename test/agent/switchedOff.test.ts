/** What a rehearsal has found broken is switched off on purpose: a whole outpool on an agent program that was altered. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openHome } from '../../config/state/home.js'
import { writeVerdict } from '../../config/state/rehearsals.js'
import { alterProgram, withoutArgument } from '../../lab/alteredProgram.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import { conversationText, promptsOf } from '../../lab/standin/requests.js'
import { until } from '../../lab/until.js'
import { verdictOf } from '../../lab/verdicts.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet
let dir: string

const versionIs = (version: string): string =>
  `case "$1" in --version) echo '${version} (Claude Code)'; exit;; esac`

/** Resumes only what began with this login: a copy of the transcript is not enough. */
const resumesNoCopy = `${versionIs('9.9.9')}
resumed= before=
for one in "$@"; do
  case "$before" in
    --session-id) : > "$CLAUDE_CONFIG_DIR/began-$one";;
    --resume) resumed=$one;;
  esac
  before=$one
done
if [ -n "$resumed" ] && [ ! -e "$CLAUDE_CONFIG_DIR/began-$resumed" ]; then
${withoutArgument('--resume', true)}
fi`

/** As `outpool rehearse` leaves it for this program, and for one whose status line and stash are not what they were. */
const broken = ['resume-after-copy', 'status-line-limits', 'stash-key']

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-altered-'))
  const command = alterProgram(dir, agentProgram, { before: resumesNoCopy })
  fleet = await startFleet({ accounts: ['max-1', 'max-2'], agent: { command, env: {} } })
  for (const name of ['max-1', 'max-2'])
    fleet.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
  writeVerdict(openHome(fleet.env), verdictOf('9.9.9', broken))
  await fleet.up()
  await fleet.untilRead()
  const { code } = await fleet.run(
    ...['start', 'alpha', '--cwd', fleet.world.cwd, '--account', 'max-1', '--', 'Remember the word heron.'],
  )
  expect(code).toBe(0)
  await fleet.untilSession('alpha', ({ phase, account }) => phase === 'idle' && account === 'max-1')
})
afterAll(async () => {
  await fleet.close()
  rmSync(dir, { recursive: true, force: true })
})

const draft = 'a draft of a person'
const turns = () => fleet.world.standIn.requests({ kind: 'turn' })
const pane = (...args: string[]): string => fleet.tmux(...args)

it('law 14: doctor says what is off, and a status line that is not as expected is not believed', async () => {
  const { stdout } = await fleet.run('doctor')
  expect(stdout).toContain('9.9.9 fell short: resume-after-copy, status-line-limits, stash-key')
  for (const words of ['sessions are not moved', 'read by probes alone', 'texts wait while there is a draft'])
    expect(stdout).toContain(words)
  const accounts = await fleet.json<{ name: string; windows: { source: string }[] }[]>('accounts')
  const sources = accounts.find(({ name }) => name === 'max-1')?.windows.map(({ source }) => source)
  expect(sources).toHaveLength(1)
  expect(sources).not.toContain('status-line')
})

it('law 5: a text waits while there is a draft, instead of being typed with a stash that may lose it', async () => {
  pane('send-keys', '-l', '-t', '=alpha:', draft)
  await until(
    'the draft on the screen',
    () => Promise.resolve(pane('capture-pane', '-p', '-t', '=alpha:')),
    (screen) => screen.includes(draft),
  )
  expect(await fleet.run('send', 'alpha', 'Now the long task.')).toMatchObject({ code: 0 })
  const waiting = await fleet.untilSession('alpha', ({ attention }) => attention !== null)
  expect(waiting.attention).toContain('a text waits: its input line holds a draft, and the stash')
  expect(pane('capture-pane', '-p', '-t', '=alpha:')).toContain(draft)
  expect(turns()).toHaveLength(1)
  pane('send-keys', '-t', '=alpha:', 'C-u')
  await until(
    'the text',
    () => Promise.resolve(turns()),
    (all) => promptsOf(all.at(-1)!).at(-1) === 'Now the long task.',
  )
  await fleet.untilSession('alpha', ({ phase, attention }) => phase === 'idle' && attention === null)
})

it('law 5: at a wall the session waits for its account, and moves as soon as another version is installed', async () => {
  fleet.world.standIn.account('max-1').wall('five_hour', hours(3))
  expect(await fleet.run('send', 'alpha', 'And the next one.')).toMatchObject({ code: 0 })
  const parked = await fleet.untilSession('alpha', ({ phase }) => phase === 'parked')
  expect(parked.attention).toMatch(/^it waits for max-1, .*\(resume-after-copy; see outpool rehearse\)/)
  expect(parked.rescueLog.at(-1)).toMatchObject({ cause: 'wall', from: 'max-1', to: null })
  expect((await fleet.run('ls')).stdout).toContain('it waits for max-1')
  expect(turns().map(({ account }) => account)).not.toContain('max-2')

  alterProgram(dir, agentProgram, { before: versionIs('9.9.10') })
  expect(await fleet.run('move', 'alpha', '--to', 'max-2')).toMatchObject({ code: 0 })
  await fleet.untilSession('alpha', ({ phase, account }) => phase === 'idle' && account === 'max-2')
  const last = turns().at(-1)!
  expect(last.account).toBe('max-2')
  for (const text of ['Remember the word heron.', 'Now the long task.', 'And the next one.'])
    expect(conversationText(last)).toContain(text)
})
