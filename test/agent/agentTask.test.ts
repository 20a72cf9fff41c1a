/**
 * Tasks of the loop that an agent does: the real agent program, on an account of the pool, for a single task.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { taskSessionName } from '../../policy/ids.js'
import type { AccountRow } from '../../policy/account/accountRow.js'
import type { TaskView } from '../../policy/tasks/tasks.js'
import { conversationText } from '../../lab/standin/requests.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'

const hours = (n: number): Date => new Date(Date.now() + n * 3_600_000)
const prompt = 'Water the beds, and say which.'

let fleet: Fleet

beforeAll(async () => {
  fleet = await startFleet({
    accounts: ['max-1', 'max-2'],
    reserved: ['medic'],
    config: {
      tasks: [
        { name: 'garden', every: '10d', agent: 'claude-code', cwd: 'work', prompt: { file: 'garden.md' } },
        { name: 'endless', every: '10d', agent: 'claude-code', cwd: 'work', prompt, timeout: '6s' },
      ],
    },
  })
  writeFileSync(join(fleet.dir, 'garden.md'), prompt)
  for (const name of ['max-1', 'max-2'])
    fleet.world.standIn.account(name).windows({ five_hour: { used: 0.2, resetsAt: hours(4) } })
  await fleet.up()
})
afterAll(() => fleet.close())

const view = async (name: string): Promise<TaskView> =>
  (await fleet.json<TaskView[]>('tasks')).find((task) => task.name === name)!
const askedOf = (account: string) =>
  fleet.world.standIn
    .requests({ kind: 'turn' })
    .filter((request) => request.account === account && !request.subagent)

/** The session of the task has ended, and nothing of it is left. */
async function expectEnded(task: string): Promise<void> {
  const { phase, pid } = await fleet.show(taskSessionName(task))
  expect([phase, pid]).toEqual(['stopped', null])
  expect(fleet.ownProcesses().filter((line) => line.includes(`/sessions/${taskSessionName(task)}/`))).toEqual(
    [],
  )
  const accounts = await fleet.json<AccountRow[]>('accounts')
  expect(accounts.flatMap(({ leases }) => leases)).toEqual([])
}

describe('a task that an agent does', () => {
  it('law 5: is leased an account, rescued at its wall, and ended with its work; the answer is kept', async () => {
    const { standIn } = fleet.world
    for (const name of ['max-1', 'max-2']) {
      const other = name === 'max-1' ? 'max-2' : 'max-1'
      // The account that it is on first refuses in the middle of the task, and the other one finishes it.
      standIn.account(name).answer(() => {
        if (askedOf(other).length > 0) return 'I watered the roses.'
        standIn.account(name).wall('five_hour', hours(3))
        return { tools: [{ name: 'TodoWrite', input: { todos: [] } }] }
      })
    }
    const { code, stdout, stderr } = await fleet.run('run', 'garden')
    expect([code, stderr]).toEqual([0, ''])
    const file = stdout.trim().split('\n').at(-1)!
    expect(readFileSync(file, 'utf8')).toBe('I watered the roses.\n')
    expect(dirname(file)).toBe(join(fleet.dir, 'state', 'tasks', 'garden', 'results'))

    const { rescueLog } = await fleet.show(taskSessionName('garden'))
    expect(rescueLog.map(({ cause }) => cause)).toEqual(['wall'])
    const [{ from, to }] = rescueLog as [(typeof rescueLog)[0]]
    expect(conversationText(askedOf(from!)[0]!)).toContain(prompt)
    expect(conversationText(askedOf(to!).at(-1)!)).toContain(prompt)
    expect((await view('garden')).lastResult).toMatchObject({ ok: true, error: null })
    await expectEnded('garden')
    // Recurring tasks are the pool's: none of them runs on the healer's account.
    expect(askedOf('medic')).toEqual([])
  })

  it('law 10: that does not end in time is ended, and the run has failed with that reason', async () => {
    for (const name of ['max-1', 'max-2'])
      fleet.world.standIn.account(name).lift().answer({ breakage: 'hang' })
    const { code, stderr } = await fleet.run('run', 'endless')
    expect(code).toBe(1)
    expect(stderr).toContain('the agent did not end its work within 6 s')
    const { lastResult, failures } = await view('endless')
    expect([lastResult?.ok, failures]).toEqual([false, 1])
    await expectEnded('endless')
  })
})
