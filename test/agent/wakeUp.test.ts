/**
 * The third layer on real parts: the real agent program, on the healer's own logins, repairs a service and is
 * checked.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterEach, describe, expect, it } from 'vitest'
import { openHome } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import type { Incident } from '../../policy/service/incident.js'
import { escalationWorkflowId, wakeUpSessionName, watchdogWorkflowId } from '../../policy/ids.js'
import type { ServiceView } from '../../policy/service/service.js'
import { byNight } from '../byNight.js'
import { historyText } from '../../lab/engine/sealed.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'
import { KillingTmux } from '../../lab/machine/killingTmux.js'
import { conversationText } from '../../lab/standin/requests.js'
import { until } from '../../lab/until.js'

/** Ends at once while the file `broken` exists; otherwise it beats. */
const program = `
const { appendFileSync, existsSync, writeFileSync } = require('node:fs')
appendFileSync('starts', 'one\\n')
if (existsSync('broken')) { console.log('secret-of-the-output: broken is there'); process.exit(1) }
setInterval(() => writeFileSync('beat', JSON.stringify({ by: 'loop', pid: process.pid, at: new Date().toISOString() })), 100)
`
const prompt = 'secret-of-the-prompt: look into the folder and mend the loop.'
const repair = { tools: [{ name: 'Bash', input: { command: 'rm broken', description: 'Mend the loop' } }] }
const inHours = (n: number): Date => new Date(Date.now() + n * 3_600_000)

let fleet: Fleet
let cwd: string
afterEach(() => fleet.close())

async function guard(
  reserved: string[],
  wakeUp: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): Promise<void> {
  const service = {
    ...{ name: 'loop', run: [process.execPath, 'loop.cjs'], every: '1s' },
    heartbeat: { file: 'loop/beat', staleAfter: '4s' },
    restarts: { limit: 1, within: '10m', backoff: '1s' },
    cwd: 'loop',
    wakeUp: { prompt, verify: ['test', '-f', 'beat'], heartbeatWithin: '4s', retryEvery: '10s', ...wakeUp },
  }
  // No person is there to allow a command.
  const agentArgs = ['--permission-mode', 'manual', '--allowedTools=Bash']
  fleet = await startFleet({
    accounts: ['max-1'],
    reserved,
    agentArgs,
    config: { services: [service], ...more },
  })
  cwd = join(fleet.dir, 'loop')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'loop.cjs'), program)
  writeFileSync(join(cwd, 'broken'), '')
}

const service = async (): Promise<ServiceView> => (await fleet.json<ServiceView[]>('services'))[0]!
const incident = (n = 1): Promise<Incident> => fleet.json<Incident>('incidents', 'show', String(n))
const untilHealed = (): Promise<Incident> =>
  until(
    'the incident to be over',
    () => incident(),
    ({ closedAt }) => closedAt !== null,
  )
const starts = (): number => readFileSync(join(cwd, 'starts'), 'utf8').trim().split('\n').length
const askedOf = (account: string) =>
  fleet.world.standIn.requests({ kind: 'turn' }).filter((one) => one.account === account)

const idOf = (line: string): string => line.trim().split(' ')[0] ?? ''

describe('a wake-up', () => {
  it('law 1, 11: heals by a command on a reserved account, is checked, and keeps its answer on the host', async () => {
    await guard(['medic'])
    let startsWhileAtWork = 0
    fleet.world.standIn.account('medic').answer(async ({ turn }) => {
      if (turn > 1) return 'secret-of-the-answer: I removed the file `broken`.'
      // The watchdog checks every second: while the agent is at work it must not restart anything.
      const before = starts()
      for (const name of ['loop', 'loop']) await fleet.run('check', name)
      startsWhileAtWork = starts() - before
      return repair
    })
    await fleet.up()
    const healed = await untilHealed()
    expect(healed.outcome).toBe('healed')
    expect(startsWhileAtWork).toBe(0)
    // The first start, one restart, and the one after the agent was done.
    expect(starts()).toBe(3)
    expect(healed.said[0]?.text).toContain('I removed the file')
    expect(healed.timeline.at(-2)?.what).toMatch(/^agreed/)
    const well = await until('the watch to go on', service, ({ state }) => state === 'running')
    expect(well).toMatchObject({ restarts: 0, incident: null, lastBeat: { by: 'loop' } })
    expect((await fleet.run('check', 'loop')).code).toBe(0)
    const escalated = fleet.events().filter(({ kind }) => kind.startsWith('escalation-'))
    expect(escalated).toMatchObject([
      { kind: 'escalation-started', service: 'loop', incident: 1 },
      { kind: 'escalation-ended', service: 'loop', incident: 1, result: 'healed' },
    ])
    expect(askedOf('max-1')).toEqual([])
    expect(conversationText(askedOf('medic')[0]!)).toMatch(/secret-of-the-prompt[^]*secret-of-the-output/)
    expect(fleet.ownProcesses().filter((line) => line.includes(wakeUpSessionName(1)))).toEqual([])

    const { address, namespace } = readEngine(openHome(fleet.env))!
    const connection = await Connection.connect({ address })
    const { workflow } = new Client({ connection, namespace })
    const ids = [watchdogWorkflowId('loop'), escalationWorkflowId('loop', 1)]
    for (const id of ids) {
      const history = historyText(openHome(fleet.env), await workflow.getHandle(id).fetchHistory(), namespace)
      expect(history).toContain('loop')
      expect(history).not.toMatch(/secret-of-the/)
    }
    await connection.close()
  })

  byNight(
    'goes to the next place when one is walled, is tried again when the check disagrees, and not a third time',
    async () => {
      await guard(['medic-1', 'medic-2'])
      const { standIn } = fleet.world
      standIn.account('medic-1').wall('five_hour', inHours(3))
      let prompts = 0
      standIn.account('medic-2').answer(({ turn }) => {
        if (turn === 1) prompts += 1
        return prompts > 1 && turn === 1 ? repair : 'All is well, believe me.'
      })
      await fleet.up()
      const healed = await untilHealed()
      expect(healed.outcome).toBe('healed')
      const said = healed.timeline.map(({ what }) => what).join('\n')
      expect(said).toMatch(
        /woken on medic-1[^]*walled[^]*woken on medic-2[^]*disagreed[^]*woken on medic-2[^]*agreed/,
      )
      expect(prompts).toBe(2)
    },
  )

  byNight(
    'law 10: that never answers is ended in time, a person is notified, and the service is healed once they have repaired the cause',
    async () => {
      await guard(['medic'], { timeout: '6s' })
      fleet.world.standIn.account('medic').answer({ breakage: 'hang' })
      await fleet.up()
      await until(
        'a person to be notified',
        () => incident(),
        ({ timeline }) => timeline.some(({ what }) => what.startsWith('no notice is configured')),
      )
      expect((await service()).state).toBe('escalated')
      rmSync(join(cwd, 'broken'))
      const healed = await untilHealed()
      expect(healed.outcome).toBe('recovered')
      expect(healed.timeline.map(({ what }) => what).join('\n')).toMatch(/not done in time/)
    },
  )

  byNight(
    "law 2, 7: with every reserved account walled it heals on the healer's fallback substrate; the worker is killed as it starts",
    async () => {
      const key = { ANTHROPIC_API_KEY: { fromEnv: 'KEY_OF_MEDIC' }, CLAUDE_CODE_MAX_RETRIES: '1' }
      await guard(
        ['medic'],
        {},
        { reservedSubstrates: [{ name: 'medic-key', model: 'claude-haiku-4-5', env: key }] },
      )
      const { standIn } = fleet.world
      standIn.account('medic').wall('five_hour', inHours(3))
      standIn.account('medic-key').answer(({ turn }) => (turn === 1 ? repair : 'I removed the file.'))
      const tmux = await KillingTmux.install(fleet.dir)
      Object.assign(fleet.env, {
        KEY_OF_MEDIC: standIn.account('medic-key').apiKey,
        PATH: `${tmux.folder}:${fleet.env['PATH'] ?? ''}`,
      })
      const beside: string[][] = []
      // A process that has just forked has the same name twice, until one of the two becomes another program.
      let before: string[] = []
      const watching = setInterval(() => {
        const agents = fleet
          .ownProcesses()
          .filter((line) => line.includes(`/sessions/${wakeUpSessionName(1)}/settings.json`))
        const stay = agents.filter((line) => before.includes(idOf(line)))
        if (stay.length > 1) beside.push(stay)
        before = agents.map(idOf)
      }, 200)
      try {
        // The agent runs, and that is not recorded yet.
        tmux.killAt('after', 'new-session', wakeUpSessionName(1))
        await fleet.up()
        await until(
          'the end of the worker',
          () => Promise.resolve(fleet.workerPid()),
          (pid) => pid === null,
        )
        await fleet.up()
        const healed = await untilHealed()
        expect(healed.outcome).toBe('healed')
        expect(healed.timeline.map(({ what }) => what).join('\n')).toMatch(
          /woken on medic\n[^]*walled[^]*woken on medic-key[^]*agreed/,
        )
      } finally {
        clearInterval(watching)
      }
      expect(beside).toEqual([])
      expect(askedOf('max-1')).toEqual([])
      expect(starts()).toBe(3)
    },
  )
})
