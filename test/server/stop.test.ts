/** Stopping a session's process, whatever happened to its place meanwhile. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Host } from '../../host/host.js'
import type { HostActivities, SessionRef, WatchRequest } from '../../activities/contracts.js'
import { hostActivities } from '../../activities/index.js'
import { LeaseBatcher } from '../../activities/watch/leaseBatcher.js'
import { Prober } from '../../activities/accounts/probe.js'
import { Sampler } from '../../activities/watch/sampler.js'
import { DraftUnreadableError } from '../../activities/errors.js'
import { savedDraft } from '../../activities/session/savedDraft.js'
import { stopAgent } from '../../activities/session/stop.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { openHome } from '../../config/state/home.js'
import { writeVerdict } from '../../config/state/rehearsals.js'
import { parseConfig } from '../../config/load/load.js'
import { processStart } from '../../host/process/processes.js'
import type { Pane } from '../../host/tmux/panes.js'
import { until } from '../../lab/until.js'
import { verdictOf } from '../../lab/verdicts.js'
import { defaultTiming } from '../../policy/account/account.js'
import type { PlaceRef } from '../../policy/session/place.js'

let dir: string
let host: Host
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-stop-'))
  mkdirSync(join(dir, 'max-1'))
  const account = `{ name: max-1, configDir: ${join(dir, 'max-1')}, env: { TOKEN: { fromEnv: NOT_SET_ANYWHERE } } }`
  const config = parseConfig(`pool: { accounts: [${account}] }`, join(dir, 'outpool.yaml'), {})
  host = new Host(openHome({ OUTPOOL_HOME: join(dir, 'state') }), config)
})
afterEach(async () => {
  host.tmux.close()
  await execa('tmux', ['-S', host.home.tmuxSocket, 'kill-server'], { reject: false })
  rmSync(dir, { recursive: true, force: true })
})

describe('law 6: a process can be stopped', () => {
  const places: [string, PlaceRef][] = [
    ['of an account that the configuration no longer names', { kind: 'account', name: 'gone' }],
    ['of a substrate that the configuration no longer names', { kind: 'substrate', name: 'gone' }],
    ['of an account whose secret cannot be had', { kind: 'account', name: 'max-1' }],
  ]
  it.each(places)('%s', async (_what, place) => {
    const ref = { session: 'alpha', fence: 1, cwd: dir }
    await host.tmux.spawn({ ...ref, argv: ['/bin/cat'], status: '', hold: ['/bin/cat'] })
    const request = { ...ref, agent: 'claude-code', sessionId: '7da1d9f0-0000-4000-8000-000000000000', place }
    const { steps } = await stopAgent(host, { ...request, closePane: false, status: 'stopped' })
    expect(steps).toMatchObject([{ name: 'stop (term)' }])
  })
})

const editingProgram = `
stty raw -echo
cat "$1" | sed 's/$/\\r/'
while key=$(dd bs=1 count=1 2> /dev/null | od -An -tx1); do
  [ "$key" != ' 07' ] || [ -z "$2" ] || printf %s "$2" > "$3"
done`

/** A program that shows this screen. At Ctrl-G it gives `draft` to its editor, if there is one. */
async function shows(recorded: string, draft = ''): Promise<Pane> {
  const file = fileURLToPath(new URL(`../adapter/screens/${recorded}.ansi`, import.meta.url))
  const drafts = join(host.records.folder('alpha'), 'drafts')
  const argv = ['/bin/sh', '-c', editingProgram, 'sh', file, draft, join(drafts, 'draft')]
  const pane = await host.tmux.spawn({ session: 'alpha', fence: 1, cwd: '/', argv, status: '' })
  await until(
    'the draft',
    () => host.tmux.colouredScreen(pane.id),
    (screen) => claudeCode.takesInput(screen),
  )
  return pane
}

describe('a draft that can be read in part only', () => {
  const place: PlaceRef = { kind: 'account', name: 'max-1' }
  const ref = { session: 'alpha', fence: 1, cwd: '/' }
  const request = { ...ref, agent: 'claude-code', sessionId: '7da1d9f0-0000-4000-8000-000000000000', place }

  it('law 5: keeps the agent alive if the screen shows a part of it only', async () => {
    const { pid } = await shows('draft-cut-above')
    const start = await processStart(pid)
    const keeping = stopAgent(host, { ...request, closePane: false, status: '', keepsDraft: true })
    await expect(keeping).rejects.toThrow(DraftUnreadableError)
    expect(await processStart(pid)).toBe(start)
    expect(host.records.isStopped('alpha', 1)).toBe(false)
    expect(savedDraft(host, 'alpha')).toBeNull()
  })

  it('law 5: keeps the agent alive if the draft holds a picture, and also if that was given to the editor', async () => {
    const { pid } = await shows('draft-multiline', 'and [Image #1]')
    const keeping = stopAgent(host, { ...request, closePane: false, status: '', keepsDraft: true })
    await expect(keeping).rejects.toThrow(DraftUnreadableError)
    expect(await processStart(pid)).not.toBeNull()
  })

  it('law 5: is taken from a screen that shows all of it', async () => {
    await shows('draft-multiline')
    await stopAgent(host, { ...request, closePane: false, status: '', keepsDraft: true })
    expect(savedDraft(host, 'alpha')?.text).toBe('first line\nsecond line')
  })
})

describe('while an agent program lacks what a feature needs', () => {
  const request = {
    ...{
      session: 'alpha',
      fence: 1,
      cwd: '/',
      agent: 'claude-code',
      closePane: false,
      status: '',
      keepsDraft: true,
    },
    ...{
      sessionId: '7da1d9f0-0000-4000-8000-000000000000',
      place: { kind: 'account' as const, name: 'max-1' },
    },
  }
  const switchOff = async (...broken: string[]): Promise<void> => {
    const program = join(dir, 'agent')
    writeFileSync(program, `#!/bin/sh\necho '9.9.9 (Claude Code)'\n`, { mode: 0o755 })
    const text = `pool: { accounts: [{ name: max-1, configDir: ${join(dir, 'max-1')} }] }
agents: { claude-code: { command: ${program} } }`
    host.reconfigure(parseConfig(text, join(dir, 'outpool.yaml'), {}))
    writeVerdict(host.home, verdictOf('9.9.9', broken))
    await host.features.review('claude-code')
  }

  it('law 5: an agent whose input line is drawn in another way is kept alive once a person was attached, and not before', async () => {
    await switchOff('draft-on-screen')
    const { pid } = await shows('draft-multiline')
    const attach = `tmux -S '${host.home.tmuxSocket}' attach -t =alpha`
    const terminal = execa('script', ['-qfc', attach, '/dev/null'], {
      ...{ reject: false, stdin: 'pipe', stdout: 'ignore', env: { TERM: 'xterm' } },
    })
    await until(
      'the person in the pane',
      () => host.tmux.pane('alpha'),
      (pane) => pane?.visited === 'now',
    )
    await expect(stopAgent(host, request)).rejects.toThrow(DraftUnreadableError)
    expect(await processStart(pid)).not.toBeNull()
    terminal.kill('SIGKILL')
    await terminal
  })

  it('a draft that no person can have typed holds up nothing', async () => {
    await switchOff('draft-on-screen')
    const { pid } = await shows('draft-cut-above')
    await stopAgent(host, request)
    expect(await processStart(pid)).toBeNull()
    expect(savedDraft(host, 'alpha')).toBeNull()
  })

  it('law 5: a draft is taken from the screen if the program gives it to no editor', async () => {
    await switchOff('draft-to-editor')
    await shows('draft-multiline', 'something else')
    await stopAgent(host, request)
    expect(savedDraft(host, 'alpha')?.text).toBe('first line\nsecond line')
  })
})

describe('a session of a herd that is stopped', () => {
  const never = new AbortController().signal
  const { maxConcurrentMoves } = defaultTiming

  /**
   * As many as are moved at a time, and one that waits behind them. Returns whether that one's turn has come.
   */
  async function herd(): Promise<() => boolean> {
    for (let n = 1; n <= maxConcurrentMoves; n++)
      await host.moveLimiter.acquire(`s${n}`, never, () => undefined)
    let isIn = false
    void host.moveLimiter.acquire('next', never, () => undefined).then(() => (isIn = true))
    return () => isIn
  }

  const place: PlaceRef = { kind: 'account', name: 'max-1' }
  const refOf = (session: string): SessionRef => ({
    ...{ session, fence: 1, cwd: dir, agent: 'claude-code', sessionId: 'none', place },
  })

  function activitiesOf(): HostActivities {
    const leases = new LeaseBatcher(
      'main',
      () => Promise.resolve([]),
      () => [],
    )
    return hostActivities(host, new Sampler(host), new Prober(host), leases)
  }

  const stopOf = (session: string, rests: boolean, activities = activitiesOf()) => {
    const request = { ...refOf(session), closePane: false, status: '', endsMove: rests }
    return new MockActivityEnvironment().run(() => activities.stopAgent(request))
  }

  it('law 10: because it is parked makes room for the next one at once', async () => {
    const isNextIn = await herd()
    await stopOf('s1', true)
    expect(isNextIn()).toBe(true)
  })

  it('because it is being moved keeps its turn', async () => {
    const isNextIn = await herd()
    await stopOf('s1', false)
    expect(isNextIn()).toBe(false)
  })

  it('law 10: because of an order does not wait for its watch, which waits for its turn with what it saw', async () => {
    await herd()
    const activities = activitiesOf()
    const request: WatchRequest = {
      ...{ ...refOf('last'), model: null, transcriptFrom: 0, stayUntil: null, waiting: null, status: '' },
      untilTurnEnd: false,
    }
    const watching = new MockActivityEnvironment().run(() => activities.watchAgent(request))
    const waiting = (): Promise<number> => Promise.resolve(host.moveLimiter.waiting)
    await until('its watch to wait behind another', waiting, (sessions) => sessions === 2)
    await stopOf('last', false, activities)
    await expect(watching).resolves.toMatchObject({ kind: 'gone', what: 'tmux' })
    expect(host.moveLimiter.waiting).toBe(1)
  })
})
