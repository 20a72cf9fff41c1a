/**
 * Sessions with a person in the pane, sessions whose subagent meets the wall, and a worker that stops and
 * starts while all is well.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { byNight } from '../byNight.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { holdersOf } from '../../lab/machine/holders.js'
import { until } from '../../lab/until.js'
import { conversationText } from '../../lab/standin/requests.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet

/** The program shows the refusal of a subagent as the account's: max-4 is only for that test. */
const accounts = ['max-1', 'max-2', 'max-3', 'max-4']

/** One fleet for all tests: each has a separate session, and one that ends at a wall has an account that no later test begins on. */
beforeAll(async () => {
  // Tools run without a question: no person answers one here.
  const agentArgs = ['--permission-mode', 'manual', '--allowedTools=Agent,Task']
  const secret = { fromCommand: ['./secret.sh'] }
  const locked = { env: { FROM_A_VAULT: secret } }
  const accountConfig = { 'max-2': locked, 'max-3': locked, 'max-4': locked }
  // A probe that finds a window used up moves a session at the end of its turn, which is no wall.
  const config = { timing: { probeEvery: '1h' } }
  fleet = await startFleet({ engine: 'own', accounts, agentArgs, accountConfig, config })
  const script = `#!/bin/sh\nwhile [ -e '${vaultLock()}' ]; do sleep 0.05; done\necho made-up\n`
  writeFileSync(join(fleet.dir, 'secret.sh'), script, { mode: 0o755 })
  for (const name of accounts)
    fleet.world.standIn.account(name).windows({
      five_hour: { used: 0.2, resetsAt: hours(4) },
      seven_day: { used: 0.2, resetsAt: hours(90) },
    })
  await fleet.up()
  await fleet.untilRead()
})
afterAll(() => fleet.close())

/** While this file exists, a secret of every account but max-1 blocks, and with it every move there. */
const vaultLock = (): string => join(fleet.dir, 'vault.lock')

const screen = (name: string): string => fleet.tmux('capture-pane', '-p', '-t', `=${name}:`)

async function begin(name: string, prompt: string, on = 'max-1'): Promise<string> {
  const start = await fleet.run('start', name, '--cwd', fleet.world.cwd, '--account', on, '--', prompt)
  expect(start.code).toBe(0)
  const { account, sessionId } = await fleet.untilSession(name, ({ phase }) => phase === 'idle')
  expect(account).toBe(on)
  return sessionId
}

describe('a person in the pane', () => {
  it('a second `up` on the same home says that one is running, and where', async () => {
    const { code, stderr } = await fleet.run('up')
    expect(code).toBe(1)
    expect(stderr).toMatch(/already running .*process \d+.*127\.0\.0\.1:\d+/)
  })

  byNight('finds what they typed but did not send in the new process', async () => {
    await begin('alpha', 'Hello.')
    fleet.tmux('send-keys', '-t', '=alpha:', '-l', 'half a thought')
    await until(
      'the draft',
      () => Promise.resolve(screen('alpha')),
      (shown) => shown.includes('half a thought'),
    )
    await fleet.run('move', 'alpha', '--to', 'max-2')
    await fleet.untilSession('alpha', ({ phase, account }) => phase === 'idle' && account === 'max-2')
    await until(
      'the draft again',
      () => Promise.resolve(screen('alpha')),
      (shown) => /❯\shalf a thought/.test(shown),
    )
    // It was typed, not sent: only the person sends it.
    const sent = fleet.world.standIn.requests({ kind: 'turn' }).map(conversationText).join('\n')
    expect(sent).not.toContain('half a thought')
  })

  it('law 5: finds a draft that was longer than its box, and one that was behind an earlier prompt', async () => {
    const sessionId = await begin('mike', 'Hello.')
    const keys = (...args: string[]): string => fleet.tmux('send-keys', '-t', '=mike:', ...args)
    const untilShown = (what: RegExp): Promise<string> =>
      until(
        `on the screen: ${what.source}`,
        () => Promise.resolve(screen('mike')),
        (shown) => what.test(shown),
      )
    const moveTo = async (account: string): Promise<void> => {
      expect((await fleet.run('move', 'mike', '--to', account)).code).toBe(0)
      await fleet.untilSession('mike', (now) => now.phase === 'idle' && now.account === account)
    }
    keys('-l', 'half a thought')
    await untilShown(/❯\shalf a thought/)
    keys('Up')
    await untilShown(/─── History \d+\/\d+ ─/)
    await moveTo('max-2')
    await untilShown(/❯\shalf a thought/)
    const lines = Array.from({ length: 60 }, (_, n) => `line ${n + 1} of a draft`)
    for (const line of lines) {
      keys('C-j')
      keys('-l', line)
    }
    await untilShown(/─── ↑ \d+ more ─[^]*line 60 of a draft/)
    await moveTo('max-1')
    // An Enter right after a paste is taken as part of it.
    await until(
      'the turn',
      () => {
        if (/❯\s\[Pasted text/.test(screen('mike'))) keys('Enter')
        return Promise.resolve(fleet.world.standIn.requests({ kind: 'turn', sessionId }))
      },
      (turns) => turns.length === 2,
    )
    const said = conversationText(fleet.world.standIn.requests({ kind: 'turn', sessionId }).at(-1)!)
    expect(said.replaceAll(/\s+/g, ' ')).toContain(['half a thought', ...lines].join(' '))
  })

  it('sees in the status bar what outpool does', async () => {
    await begin('bravo', 'Hello.')
    const shown = (): string => fleet.tmux('display-message', '-p', '-t', '=bravo:', '#{T:status-right}')
    expect(shown()).toContain('on max-1')
    await fleet.run('move', 'bravo', '--to', 'max-2')
    await until(
      'the status bar',
      () => Promise.resolve(shown()),
      (text) => text.includes('on max-2'),
    )
  })

  it('ends a session by quitting the agent with /exit', async () => {
    const sessionId = await begin('charlie', 'Hello.')
    fleet.tmux('send-keys', '-t', '=charlie:', '-l', '/exit')
    await until(
      'the command',
      () => Promise.resolve(screen('charlie')),
      (shown) => /❯\s\/exit/.test(shown),
    )
    fleet.tmux('send-keys', '-t', '=charlie:', 'Enter')
    const stopped = await fleet.untilSession('charlie', ({ phase }) => phase === 'stopped')
    expect(stopped.rescueLog).toEqual([])
    expect(holdersOf(sessionId)).toEqual([])
    // And back to where it was.
    expect((await fleet.run('resume', 'charlie')).code).toBe(0)
    const back = await fleet.untilSession('charlie', ({ phase }) => phase === 'idle')
    expect(back.sessionId).toBe(sessionId)
    expect(screen('charlie')).toContain('Answer 1 of this conversation.')
  })
})

describe('a person who goes on typing', () => {
  byNight('is not interrupted by a planned move, which waits until their keys are quiet', async () => {
    const keysQuiet = 12_000
    const quiet = await startFleet({ accounts: ['max-1', 'max-2'], config: { timing: { keysQuiet: '12s' } } })
    const { standIn, cwd } = quiet.world
    try {
      for (const name of ['max-1', 'max-2'])
        standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
      await quiet.up()
      await quiet.run('start', 'alpha', '--cwd', cwd, '--account', 'max-1', '--', 'Hello.')
      await quiet.untilSession('alpha', ({ phase }) => phase === 'idle')
      // A person's own terminal: their tmux, in which they are attached to the session.
      const attach = ['attach', '-t', '=alpha']
      quiet.tmuxOf('person', 'new-session', '-d', '-s', 'p', 'tmux', '-S', quiet.tmuxSocket, ...attach)
      await until(
        'the person',
        () => Promise.resolve(quiet.tmux('list-clients')),
        (clients) => clients !== '',
      )
      standIn.account('max-1').windows({ five_hour: { used: 0.97, resetsAt: hours(4) } })
      quiet.tmuxOf('person', 'send-keys', '-t', 'p', '-l', 'By hand.')
      quiet.tmuxOf('person', 'send-keys', '-t', 'p', 'Enter')
      const typedAt = Date.now()
      await standIn.waitForRequest((request) => conversationText(request).includes('By hand.'))
      const moved = await quiet.untilSession('alpha', ({ account }) => account === 'max-2')
      expect(moved.rescueLog.at(-1)?.cause).toBe('near-limit')
      // tmux reports the time of a key press in whole seconds.
      expect(Date.parse(moved.rescueLog.at(-1)?.startedAt ?? '')).toBeGreaterThan(typedAt + keysQuiet - 2_000)
    } finally {
      quiet.tmuxOf('person', 'kill-server')
      await quiet.close()
    }
  })
})

describe('a wall inside a subagent', () => {
  it('law 6: does not move the session while its main thread goes on; the main thread meets the wall itself', async () => {
    const { standIn } = fleet.world
    standIn.answer(({ request, turn }) => {
      if (request.subagent) return { wall: { kind: 'five_hour', resetsAt: hours(3) } }
      const input = { description: 'look', prompt: 'Look around.', subagent_type: 'general-purpose' }
      const name = request.tools.includes('Task') ? 'Task' : 'Agent'
      return turn === 2 ? { tools: [{ name, input }] } : `Answer ${turn} of this conversation.`
    })
    const sessionId = await begin('echo', 'Hello.', 'max-4')
    await fleet.run('send', 'echo', 'Use a subagent.')
    await standIn.waitForRequest((request) => request.subagent && request.outcome === 'walled')
    // The parent gets the error and answers: none of its own requests was refused.
    await until(
      'the answer of the parent',
      () =>
        Promise.resolve(
          standIn.requests({ kind: 'turn', sessionId, subagent: false, outcome: 'answered' }).length,
        ),
      (count) => count >= 3,
    )
    const session = await fleet.untilSession('echo', ({ phase }) => phase === 'idle')
    expect(session).toMatchObject({ account: 'max-4', rescues: 0 })
    standIn.answer(null)
  })
})

describe('the worker stops and starts', () => {
  it('law 7: stopped in order and started again, everything is watched again and nothing was touched', async () => {
    await begin('foxtrot', 'Hello.', 'max-3')
    const before = await fleet.show('foxtrot')
    await fleet.down('SIGINT')
    expect(fleet.log()).toContain('every pane keeps running')
    expect(holdersOf(before.sessionId)).toEqual([before.pid])
    // What happens while no worker watches is seen afterwards.
    fleet.world.standIn.account('max-3').wall('five_hour', hours(3))
    fleet.tmux('send-keys', '-t', '=foxtrot:', '-l', 'Into the wall while nobody looks.')
    fleet.tmux('send-keys', '-t', '=foxtrot:', 'Enter')
    await fleet.world.standIn.waitForRequest(
      ({ outcome, account }) => outcome === 'walled' && account === 'max-3',
    )
    await fleet.up()
    const moved = await fleet.untilSession(
      'foxtrot',
      ({ phase, account }) => phase === 'idle' && account !== 'max-3',
    )
    expect(moved.rescueLog.at(-1)).toMatchObject({ cause: 'wall', from: 'max-3', to: moved.account })
  })
})

describe('a person at a wall', () => {
  it('law 5: what they typed around a wall reaches the new process: sent texts once, the draft unsent', async () => {
    const sessionId = await begin('delta', 'Hello.')
    const { standIn } = fleet.world
    const attach = ['attach', '-t', '=delta']
    fleet.tmuxOf('person', 'new-session', '-d', '-s', 'p', 'tmux', '-S', fleet.tmuxSocket, ...attach)
    try {
      let refuse = (): void => undefined
      const refused = new Promise<void>((resolve) => (refuse = resolve))
      standIn.account('max-1').answer(async () => {
        await refused
        return { wall: { kind: 'five_hour', resetsAt: hours(3) } }
      })
      const types = (...keys: string[]): string => fleet.tmuxOf('person', 'send-keys', '-t', 'p', ...keys)
      const shows = (what: string): Promise<unknown> =>
        until(
          `"${what}" in the pane`,
          () => Promise.resolve(screen('delta')),
          (shown) => shown.includes(what),
        )
      types('-l', 'A long task.')
      await shows('A long task.')
      types('Enter')
      await standIn.waitForRequest((request) => conversationText(request).includes('A long task.'))
      types('-l', 'Said while it worked.')
      await shows('Said while it worked.')
      types('Enter')
      await shows('Queued')
      types('-l', 'half a')
      await shows('half a')
      writeFileSync(vaultLock(), '')
      refuse()
      // The agent is gone, and the next one is not there yet.
      await shows('no agent is here now')
      types('-l', 'Said to nobody.')
      types('Enter')
      types('-l', ' thought')
      await shows('Said to nobody.')
      rmSync(vaultLock())
      const said = await until(
        'both texts',
        () => Promise.resolve(standIn.requests({ kind: 'turn', sessionId }).at(-1)),
        (request) =>
          request !== undefined &&
          request.account !== 'max-1' &&
          conversationText(request).includes('Said to nobody.'),
      )
      const text = conversationText(said!)
      for (const sentence of ['A long task.', 'Said while it worked.', 'Said to nobody.'])
        expect(text.split(sentence)).toHaveLength(2)
      expect(text).not.toContain('half a')
      await until(
        'the draft',
        () => Promise.resolve(screen('delta')),
        (shown) => /❯\shalf a thought/.test(shown),
      )
    } finally {
      fleet.tmuxOf('person', 'kill-server')
    }
  })
})

describe('law 1', () => {
  it('law 1: refuses to start if the reserved account is the login of a pool account, naming both', async () => {
    const other = await startFleet({ accounts: ['max-1'], reserved: ['medic'] })
    try {
      other.world.login('max-1', { dirName: 'medic' })
      const { code, stderr } = await other.run('up')
      expect(code).toBe(2)
      expect(stderr).toContain('rescuer shares the failure domain it heals')
      expect(stderr).toContain('medic')
      expect(stderr).toContain('max-1')
    } finally {
      await other.close()
    }
  })
})

describe('an upgrade', () => {
  byNight('law 7: `up --replace` takes over in order, `down` ends it, and the agent lives on', async () => {
    await begin('upgraded', 'Hello.', 'max-2')
    const { pid } = await fleet.show('upgraded')
    const before = fleet.workerPid()
    await fleet.up('--replace')
    expect(fleet.workerPid()).not.toBe(before)
    expect(fleet.log()).toContain('taking over from outpool')
    await fleet.untilSession('upgraded', (session) => session.phase === 'idle' && session.pid === pid)

    const { code, stdout } = await fleet.run('down')
    expect(code).toBe(0)
    expect(stdout).toContain('everything has ended but the panes')
    expect(fleet.workerPid()).toBeNull()
    expect((await fleet.run('ls')).code).toBe(3)
    expect(fleet.tmux('display-message', '-p', '-t', '=upgraded:', '#{pane_dead}').trim()).toBe('0')
    expect((await fleet.run('down')).stdout).toContain('nothing was running')
  })
})
