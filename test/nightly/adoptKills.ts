/** Adoptions that are brought to a certain point, so that the worker can be killed there, and what has to be true afterwards. */
import { expect } from 'vitest'
import { watchHolders } from '../../lab/machine/holders.js'
import type { Person, PersonAgent } from '../../lab/person.js'
import { conversationText } from '../../lab/standin/requests.js'
import { until } from '../../lab/until.js'
import { fleet, happened, lastAnswered } from '../agent/chaosSupport.js'

interface AdoptedAgent {
  name: string
  agent: PersonAgent
  pid: number
}

/** How far an adoption has come. */
export const adoptionPoints = {
  'the wait for its turn end was handed out': ({ name }: AdoptedAgent) =>
    isIn(name, 'scheduled awaitAdoption'),
  'the launch was handed out': ({ name }: AdoptedAgent) => isIn(name, 'scheduled launchAgent'),
  "the person's process has ended": ({ pid }: AdoptedAgent) => Promise.resolve(!isRunning(pid)),
  'the launch has ended': ({ name }: AdoptedAgent) => isIn(name, 'completed launchAgent'),
  'its terminal was handed out': ({ name }: AdoptedAgent) => isIn(name, 'scheduled settleAdoption'),
} satisfies Record<string, (adopted: AdoptedAgent) => Promise<boolean>>

export type AdoptionPoint = keyof typeof adoptionPoints

const isIn = async (name: string, step: string): Promise<boolean> => (await happened(name)).includes(step)

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Kills the worker at this point of the adoption of an agent of this account; a second command and the next worker finish it. */
export async function killDuringAdoption(
  person: Person,
  point: AdoptionPoint,
  name: string,
  account: string,
): Promise<void> {
  const login = fleet.world.login(account)
  const agent = await person.startAgent(name, login, 'Remember the word heron.')
  const { configDir } = login
  const [pid] = await until(
    'its answer',
    async () => ((await isAnswered(agent.sessionId)) ? person.holders(agent.sessionId, [configDir]) : []),
    ({ length }) => length === 1,
  )
  const monitor = watchHolders(agent.sessionId)
  expect(await fleet.run('adopt', String(pid), '--name', name)).toMatchObject({ code: 0 })
  await until(
    point,
    () => adoptionPoints[point]({ name, agent, pid: pid! }),
    (come) => come,
  )
  await fleet.down('SIGKILL')
  await fleet.up()
  const again = await fleet.run('adopt', agent.sessionId)
  expect(again).toMatchObject({ code: 0 })
  expect(again.stdout).toContain(`as ${name}`)
  const session = await fleet.untilSession(name, ({ phase }) => phase === 'idle')
  expect(session).toMatchObject({ sessionId: agent.sessionId, account })
  await fleet.run('send', name, 'What was the word?')
  await until(
    'an answer',
    () => Promise.resolve(lastAnswered(agent.sessionId)),
    (request) => request !== undefined && conversationText(request).includes('What was the word?'),
  )
  expect(conversationText(lastAnswered(agent.sessionId)!)).toContain('Remember the word heron.')
  await person.untilShown(agent, /outpool: on /)
  expect(monitor.stop()).toEqual([])
}

const isAnswered = (sessionId: string): Promise<boolean> =>
  Promise.resolve(lastAnswered(sessionId) !== undefined)
