/** A version that changes under a running fleet is rehearsed in the background, and what is broken in it reaches a person. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { cacheFolder, openHome } from '../../config/state/home.js'
import { writeVerdict } from '../../config/state/rehearsals.js'
import { alterProgram, withoutArgument } from '../../lab/alteredProgram.js'
import { type Fleet, startFleet } from '../../lab/fleet.js'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import { until } from '../../lab/until.js'
import { tryExclusive } from '../../worker/engine/lock.js'

let fleet: Fleet
let dir: string
const notices = (): string => join(dir, 'notices')

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-altered-'))
  fleet = await startFleet({
    accounts: ['max-1', 'max-2'],
    rehearse: 'auto',
    agent: { command: alterProgram(dir, agentProgram, {}), env: {} },
    config: {
      notices: { settleFor: '0s', to: [{ name: 'file', command: ['sh', '-c', `cat >> '${notices()}'`] }] },
    },
  })
})
afterEach(async () => {
  await fleet.close()
  rmSync(dir, { recursive: true, force: true })
})

/** A later version, which no longer resumes a conversation; only in a rehearsal, so that the fleet can launch it. */
const laterVersion = `case "$1" in --version) echo '9.9.9 (Claude Code)'; exit;; esac
case "$HOME" in *outpool-rehearsal-*)
${withoutArgument('--resume', true)}
;; esac`

/** At low priority on a busy machine; it takes one to two minutes on an idle one. Milliseconds. */
const rehearsedWithin = 20 * 60_000

const rehearsals = (): string[] =>
  fleet.processes().filter((line) => line.includes('rehearsal/main.js') && line.includes(dir))
const start = async (name: string): Promise<void> => {
  expect((await fleet.run('start', name, '--cwd', fleet.world.cwd, '--', 'Hello')).stderr).toBe('')
  await fleet.untilSession(name, ({ phase }) => phase === 'idle')
}
const rehearsed = () => fleet.events().flatMap((event) => (event.kind === 'agent-rehearsed' ? [event] : []))

it(
  'at low priority, alone on this host, with an event and a notice; what it found broken is switched off',
  async () => {
    const [pinned = ''] =
      /\d+\.\d+\.\d+/.exec(execFileSync(agentProgram, ['--version'], { encoding: 'utf8' })) ?? []
    writeVerdict(openHome(fleet.env), {
      ...{ agent: 'claude-code', version: pinned, program: agentProgram, outpool: '0.1.0', seconds: 60 },
      ...{ at: new Date().toISOString(), results: [] },
    })
    const hour = 3_600_000
    const resetsAt = new Date(Date.now() + 3 * hour)
    for (const name of ['max-1', 'max-2'])
      fleet.world.standIn.account(name).windows({ five_hour: { used: 0.1, resetsAt } })
    await fleet.up()
    // An account that was never read takes one session at a time.
    await fleet.untilRead()
    await start('before')

    const cache = cacheFolder(fleet.env)
    mkdirSync(cache, { recursive: true })
    const other = await until(
      'the lock of rehearsals',
      () => tryExclusive(join(cache, 'rehearsal')),
      (release) => release !== null,
    )
    try {
      alterProgram(dir, agentProgram, { before: laterVersion })
      await start('after')
      // Another rehearsal is under way, as far as the worker can see.
      expect([rehearsals(), rehearsed()]).toEqual([[], []])
    } finally {
      await other?.()
    }

    const [line = ''] = await until(
      'the rehearsal',
      () => Promise.resolve(rehearsals()),
      (lines) => lines.length > 0,
    )
    const [pid = ''] = line.trim().split(' ')
    expect(execFileSync('ps', ['-o', 'ni=', '-p', pid], { encoding: 'utf8' }).trim()).toBe('19')
    const [event] = await until(
      'its event',
      () => Promise.resolve(rehearsed()),
      (events) => events.length > 0,
      rehearsedWithin,
    )
    expect(event).toMatchObject({ agent: 'claude-code', version: '9.9.9' })
    expect(event?.missed).toContainEqual({ name: 'resume-after-copy', isEssential: true })
    await until(
      'the notice',
      () => Promise.resolve(existsSync(notices()) ? readFileSync(notices(), 'utf8') : ''),
      (text) => text.includes('resume-after-copy'),
    )
    expect((await fleet.show('after')).phase).toBe('idle')
    expect((await fleet.run('doctor')).stdout).toContain('9.9.9 fell short')
    expect(event?.off).toContain('moves')

    const { account } = await fleet.show('after')
    fleet.world.standIn.account(account!).wall('five_hour', resetsAt)
    expect(await fleet.run('send', 'after', 'Go on')).toMatchObject({ code: 0 })
    const parked = await fleet.untilSession('after', ({ phase }) => phase === 'parked')
    expect(parked.attention).toContain(`it waits for ${account!}`)
  },
  2 * rehearsedWithin,
)

it('ends with its worker, and leaves nothing behind', async () => {
  await fleet.up()
  await start('docs')
  await until(
    'the rehearsal',
    () => Promise.resolve(rehearsals()),
    (lines) => lines.length > 0,
  )
  await fleet.down('SIGKILL')
  await until(
    'the end of everything that was started for it',
    () =>
      Promise.resolve(
        fleet.processes().filter((line) => line.includes('outpool-rehearsal-') && line.includes(fleet.dir)),
      ),
    (lines) => lines.length === 0 && rehearsals().length === 0,
  )
  expect(rehearsed()).toEqual([])
})
