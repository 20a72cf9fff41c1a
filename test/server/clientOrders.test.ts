/** The commands that give orders to sessions, and the one that shows accounts, against a real engine. */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { commandTree } from '../../client/commandTree/commandTree.js'
import { commonQueue, poolWorkflowId } from '../../policy/ids.js'
import type { Wall } from '../../policy/account/account.js'
import type { SessionDetails } from '../../policy/session/session.js'
import type { PoolView } from '../../policy/pool/lease.js'
import type { AccountEligibility } from '../../workflows/messages.js'
import { until } from '../../lab/until.js'
import { ClientHarness, uniqueName, instantSchema, parseJson } from './clientHarness.js'

/** What the pool says of an account. */
type Eligible = Omit<AccountEligibility, 'account'>

let harness: ClientHarness

beforeAll(async () => {
  harness = await ClientHarness.open()
})
afterAll(() => harness.close())
beforeEach(() => harness.beginTest())
afterEach(() => harness.endTest())

describe('orders', () => {
  it('send: from arguments and from stdin, each once; --taken returns when the text was taken', async () => {
    const name = await harness.started({ phase: 'parked' })
    await harness.runOk('send', name, 'first', 'words')
    expect(await harness.home.run(['send', name, '-'], { input: 'two\nlines' })).toMatchObject({ code: 0 })
    const waiting = harness.home.run(['send', name, 'last', '--taken'])
    await until(
      'three texts',
      () => harness.received(name),
      ({ texts }) => texts.length === 3,
    )
    const raced = await Promise.race([
      waiting.then(() => 'returned'),
      harness
        .handle(name)
        .query('deliveryState', 'x')
        .then(() => 'waits'),
    ])
    expect(raced).toBe('waits')
    await harness.setState(name, { phase: 'working' })
    expect(await waiting).toMatchObject({ code: 0, stdout: `${name} has taken it\n` })
    const { texts } = await harness.received(name)
    expect(texts.map(({ text }) => text)).toEqual(['first words', 'two\nlines', 'last'])
    expect(new Set(texts.map(({ id }) => id)).size).toBe(3)
  })

  it('send --taken ends if the session stops first', async () => {
    const name = await harness.started({ phase: 'parked' })
    const waiting = harness.home.run(['send', name, 'x', '--taken'])
    await until(
      'the text',
      () => harness.received(name),
      ({ texts }) => texts.length === 1,
    )
    await harness.handle(name).terminate()
    expect(await waiting).toMatchObject({ code: 1 })
  })

  it('a stopped session and an unknown one accept no text: exit 1', async () => {
    const name = await harness.started()
    await harness.runOk('stop', name)
    for (const args of [
      ['send', name, 'x'],
      ['pause', name],
      ['stop', name],
      ['rescue', name],
      ['move', name, '--to', 'max-1'],
    ]) {
      const { code, stderr } = await harness.home.run(args)
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `outpool: session ${name} is stopped\n  -> bring it back with \`outpool resume ${name}\`\n`,
      })
    }
    expect(await harness.home.run(['send', uniqueName('never'), 'x'])).toMatchObject({ code: 1 })
  })

  it('pause, resume and stop return once they are done', async () => {
    const name = await harness.started()
    const phase = async () => (await harness.handle(name).query<SessionDetails>('describe')).phase
    expect(await harness.runOk('pause', name)).toBe(`${name} is paused\n`)
    expect(await phase()).toBe('paused')
    expect(await harness.runOk('resume', name)).toBe(`${name} is resumed\n`)
    expect(await phase()).toBe('idle')
    expect(await harness.runOk('stop', name)).toBe(`${name} is stopped\n`)
    expect((await harness.handle(name).describe()).status.name).toBe('COMPLETED')
  })

  it('stop --all stops every session', async () => {
    const names = [await harness.started(), await harness.started()].sort()
    for (const name of names) await harness.untilListed(name, ({ phase }) => phase !== 'stopped')
    const out = await harness.runOk('stop', '--all', '--yes')
    expect(out).toBe(names.map((name) => `${name} is stopped\n`).join(''))
    for (const name of names) expect((await harness.handle(name).describe()).status.name).toBe('COMPLETED')
    expect(await harness.runOk('stop', '--all', '--yes')).toBe('no session is running\n')
  })

  it('services --restart refuses a service that nobody guards', async () => {
    expect(await harness.home.run(['services', '--restart', 'bot'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no service bot') as string,
    })
  })

  it('law 5: forget takes an ended session off every list, keeps its conversation, and frees its name', async () => {
    const name = await harness.started()
    const { start: first } = await harness.received(name)
    expect(await harness.home.run(['forget', name])).toEqual({
      code: 1,
      stdout: '',
      stderr: `outpool: session ${name} has not ended: it is idle\n  -> end it first: outpool stop ${name}\n`,
    })
    await harness.runOk('stop', name)
    await harness.runOk('resume', name)
    await harness.runOk('stop', name)
    const out = await harness.runOk('forget', name)
    expect(out).toContain(`forgot ${name}; its conversation ${first.sessionId}`)
    expect(out).toContain(`outpool adopt ${first.sessionId}`)
    // Its name is free before the engine has removed it.
    await harness.runOk('start', name, '--cwd', 'work')
    const { start: again } = await harness.received(name)
    expect(again).toMatchObject({ name, continues: false })
    expect(again.sessionId).not.toBe(first.sessionId)
    await until(
      'one run',
      () => harness.runsOf(name),
      (runs) => runs === 1,
    )
  })

  it('forget --ended leaves those alone that run', async () => {
    const [ended, running] = [await harness.started(), await harness.started()]
    await harness.runOk('stop', ended)
    await harness.untilListed(ended, ({ phase }) => phase === 'stopped')
    const forgotten = parseJson(
      z.array(z.object({ session: z.string() })),
      await harness.runOk('forget', '--ended', '--json'),
    )
    expect(forgotten.map(({ session }) => session)).toContain(ended)
    await until(
      'the list without what was forgotten',
      () => harness.listed('--all'),
      (rows) => rows.length === 1 && rows[0]?.name === running,
    )
    expect(await harness.home.run(['forget'])).toMatchObject({ code: 2 })
    expect(await harness.home.run(['forget', running, '--ended'])).toMatchObject({ code: 2 })
  })

  it('law 5: resume of a stopped session continues the same conversation in the same folder', async () => {
    const pin = { account: 'max-2', pinnedTo: 'max-2', priority: -3 }
    const name = await harness.started({ ...pin, model: 'opus', models: ['opus'] })
    const { start: before } = await harness.received(name)
    await harness.runOk('send', name, 'said too late')
    await harness.runOk('stop', name)
    await harness.runOk('resume', name)
    const { start } = await until(
      'the new run',
      () => harness.received(name),
      ({ start: now }) => now.continues,
    )
    const { sessionId, cwd, agent, host } = before
    expect(start).toMatchObject({
      sessionId,
      cwd,
      agent,
      host,
      model: 'opus',
      ...{ account: 'max-2', pinned: true, priority: -3 },
      prompt: null,
      texts: [{ text: 'said too late' }],
    })
  })

  it('move and rescue give their orders, and refuse what a session cannot run on', async () => {
    const name = await harness.started({ account: 'max-1' })
    await harness.untilListed(name, ({ account }) => account === 'max-1')
    await harness.runOk('move', name, '--to', 'max-2')
    await harness.runOk('rescue', name)
    expect(await harness.runOk('move', name, '--to', 'max-1')).toBe(`${name} is already on max-1\n`)
    expect(await harness.home.run(['move', name, '--to', 'nobody'])).toMatchObject({ code: 1, stdout: '' })
    for (const to of ['medic', 'haiku-key'])
      expect(await harness.home.run(['move', name, '--to', to])).toMatchObject({ code: 2, stdout: '' })
    expect((await harness.received(name)).moves).toEqual([
      { to: 'max-2', cause: 'move', byPerson: true },
      // The pool does not answer: that is no proof of a wall.
      { to: null, cause: 'move', byPerson: true },
    ])
  })

  it('rescue: only a wall that the pool knows of is logged as one, and as that wall; a session that no account can take stays', async () => {
    const able = { cause: null, why: null, wall: null }
    const wall: Wall = {
      ...{ kind: 'five_hour', scope: 'account', resetsAt: '2026-11-22T22:10:00.000Z', evidence: 'an entry' },
      at: '2026-11-22T20:00:00.000Z',
    }
    const spent = { cause: 'walled', why: 'walled until 22:10', wall } as const
    const pool = async (first: Eligible, second: Eligible): Promise<void> => {
      const rows = [
        { account: 'max-1', ...first },
        { account: 'max-2', ...second },
      ]
      await harness.client.workflow.start('pool', {
        workflowId: poolWorkflowId('main'),
        taskQueue: commonQueue,
        workflowIdConflictPolicy: 'TERMINATE_EXISTING',
        args: [{ name: 'main', moveAt: 0.95, waitlist: [], accounts: [] }, rows],
      })
    }
    const [onAccount, onKey] = [await harness.started({ account: 'max-1' }), await harness.started()]
    await harness.setState(onKey, { account: null, substrate: 'haiku-key' })
    await harness.untilListed(onKey, ({ substrate }) => substrate === 'haiku-key')

    await pool(spent, able)
    expect(await harness.runOk('rescue', onAccount)).toContain(`${onAccount} is being rescued`)
    expect(await harness.runOk('rescue', onKey)).toContain(`${onKey} leaves haiku-key, a fallback`)
    await pool(able, able)
    expect(await harness.runOk('rescue', onAccount)).toContain('leaves max-1, which is not walled')
    await pool(able, spent)
    expect(await harness.home.run(['rescue', onAccount])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('stays on max-1, which is not walled: max-2 walled until') as string,
    })
    await pool(spent, spent)
    expect(await harness.home.run(['rescue', onKey])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('stays on haiku-key, a fallback: max-1 walled until') as string,
    })
    await harness.client.workflow.getHandle(poolWorkflowId('main')).terminate()
    const order = { to: null, cause: 'move', byPerson: true }
    expect((await harness.received(onAccount)).moves).toEqual([{ ...order, cause: 'wall', wall }, order])
    expect((await harness.received(onKey)).moves).toEqual([order])
  })

  it('law 1: every command that accepts an account refuses a reserved one by name', async () => {
    const name = await harness.started()
    const takers = commandTree
      // Only shows what happened, also to the healer's accounts.
      .filter(({ name }) => name !== 'events')
      .flatMap((spec) =>
        (spec.options ?? [])
          .filter(({ completion: completes }) => completes === 'account')
          .map(({ flags }) => [spec.name, name, flags.split(' ')[0] ?? '', 'medic']),
      )
    expect(takers.length).toBeGreaterThanOrEqual(2)
    for (const args of takers)
      expect(await harness.home.run(args)).toEqual({
        ...{ code: 2, stdout: '' },
        stderr:
          'outpool: medic is reserved for the healer, so no session can run on it\n  -> accounts of the pool: max-1, max-2\n',
      })
    expect((await harness.received(name)).moves).toEqual([])
  })

  it('attach says why there is no pane', async () => {
    const name = await harness.started({ phase: 'parked' })
    await until(
      'parked',
      () => harness.rowOf(name),
      (one) => one?.phase === 'parked',
    )
    const { code, stderr } = await harness.home.run(['attach', name])
    expect(code).toBe(1)
    expect(stderr).toContain(`session ${name} has no pane here: it is parked`)
  })
})

describe('accounts', () => {
  const window = { name: 'five_hour', resetsAt: '2099-01-01T00:00:00.000Z', source: 'status-line' as const }
  const now = () => new Date().toISOString()
  const schema = z.array(
    z.strictObject({
      ...{
        name: z.string(),
        role: z.enum(['pool', 'reserved', 'substrate']),
        walledUntil: instantSchema.nullable(),
      },
      windows: z.array(
        z.strictObject({
          ...{
            name: z.string(),
            used: z.number().min(0).max(1),
            resetsAt: instantSchema.nullable(),
            readAt: instantSchema,
          },
          ...{ source: z.string(), walled: z.boolean() },
        }),
      ),
      leases: z.array(z.string()),
      state: z.enum(['ready', 'near-limit', 'walled', 'unproven', 'logged-out', 'duplicate', 'disabled']),
    }),
  )

  it("lists the pool with this host's newer readings, the reserved accounts and the substrates", async () => {
    const early = new Date(Date.now() - 60_000).toISOString()
    const facts = {
      ...{
        role: 'pool' as const,
        ceiling: 1,
        maxSessions: null,
        walls: [],
        login: 'in' as const,
        loginAt: early,
      },
      ...{ identity: null, probedAt: null, trial: null, restUntil: null },
    }
    const wants = { since: early, why: 'max-1 walled until 22:10', retryAt: '2099-01-01T22:10:10.000Z' }
    const view: PoolView = {
      ...{ name: 'main', moveAt: 0.95 },
      waitlist: Array.from({ length: 40 }, (_, n) => ({ ...wants, session: `p${n}` })),
      accounts: [
        { ...facts, name: 'max-1', windows: [{ ...window, used: 0.5, readAt: early }], leases: ['a', 'b'] },
        { ...facts, name: 'max-2', windows: [{ ...window, used: 0.1, readAt: early }], leases: [] },
        { ...facts, name: 'haiku-key', role: 'substrate', windows: [], leases: [] },
      ],
    }
    await harness.client.workflow.start('pool', {
      workflowId: poolWorkflowId('main'),
      taskQueue: commonQueue,
      args: [view],
    })
    const seen = { ...{ walls: [], login: 'in' as const, loginAt: now(), identity: null, probedAt: null } }
    harness.writeLive({}, [
      { account: 'max-1', windows: [{ ...window, used: 0.97, readAt: now() }], ...seen },
    ])
    const rows = parseJson(schema, await harness.runOk('accounts', '--json'))
    expect(rows.map(({ name, role, state, leases }) => [name, role, state, leases])).toEqual([
      ['max-1', 'pool', 'near-limit', ['a', 'b']],
      ['max-2', 'pool', 'ready', []],
      ['medic', 'reserved', 'unproven', []],
      ['haiku-key', 'substrate', 'ready', []],
    ])
    expect(rows[0]?.windows[0]?.used).toBe(0.97)
    const { stdout } = await harness.home.run(['accounts'], { env: { COLUMNS: '100' } })
    expect(stdout).toMatch(/max-1 +pool +near-limit +2 +5h 97% until .* ████████$/m)
    const [table = '', waiting] = stdout.split('\n\n')
    for (const line of table.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
    expect(waiting).toMatch(/^p0, p1, .* and 30 more: parked until Jan 1 22:10: max-1 walled until 22:10$/m)
    expect(waiting).toMatch(
      /^would help most: one more account; until then the sessions start again by themselves/m,
    )
  })

  it('lists what the configuration names if the pool does not answer', async () => {
    const file = harness.home.config
    writeFileSync(file, readFileSync(file, 'utf8').replace('pool:\n', 'pool:\n  name: another\n'))
    const { code, stdout, stderr } = await harness.home.run(['accounts', '--json'])
    expect(code).toBe(0)
    expect(stderr).toContain('no worker answers for the pool')
    expect(parseJson(schema, stdout).map(({ name }) => name)).toEqual([
      'max-1',
      'max-2',
      'medic',
      'haiku-key',
    ])
  })
})
