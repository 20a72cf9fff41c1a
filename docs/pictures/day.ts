/**
 * A fleet's day in a minute: one session works, two rest, one hits the wall and moves, one waits for its
 * account.
 */
import { join } from 'node:path'
import type { Answer, Answerer } from '../../lab/standin/answers.js'
import { textOf } from '../../lab/standin/requests.js'
import type { Fleet } from '../../lab/fleet.js'
import { answersBeforeWall, layOutWork, prompt, scriptFor } from '../../demo/task.js'

export const rescued = 'shop'

const hour = 3_600_000
const hanging = 'Look through all of the tests'

export async function playDay(fleet: Fleet): Promise<void> {
  const { standIn, cwd } = fleet.world
  const now = Date.now()
  const windows = (five: number, seven: number) => ({
    five_hour: { used: five, resetsAt: new Date(now + 3 * hour) },
    seven_day: { used: seven, resetsAt: new Date(now + 80 * hour) },
  })
  standIn
    .account('max-1')
    .windows(windows(0.9, 0.4))
    .budget(answersBeforeWall, { resets: new Date(now + 3 * hour) })
  standIn.account('max-2').windows(windows(0.35, 0.2))
  standIn.account('max-3').windows(windows(0.6, 0.5))
  layOutWork(cwd)
  standIn.answer(modelFor(cwd))

  const start = async (name: string, account: string, text: string, ...more: string[]): Promise<void> => {
    const args = ['start', name, '--cwd', cwd, '--account', account, ...more, '--', text]
    const { code, stderr } = await fleet.run(...args)
    if (code !== 0) throw new Error(`${name} could not be started: ${stderr}`)
  }
  await start('docs', 'max-2', 'Bring the guide up to date.')
  await fleet.untilSession('docs', ({ phase }) => phase === 'idle')
  await start('review', 'max-3', hanging)
  await fleet.untilSession('review', ({ phase }) => phase === 'working')
  await start(rescued, 'max-1', prompt)
  await fleet.untilSession(rescued, ({ phase, rescues }) => rescues === 1 && phase === 'idle', 100_000)
  await start('nightly', 'max-1', 'Run the long benchmark.', '--pin')
  await fleet.untilSession('nightly', ({ phase }) => phase === 'parked')
}

/** Each session is recognised by its prompt. */
function modelFor(cwd: string): Answerer {
  const script = scriptFor(join(cwd))
  return ({ request, turn }): Answer | string => {
    const said = request.messages.map(({ content }) => textOf(content)).join('\n')
    if (said.includes(hanging)) return { breakage: 'hang' }
    if (said.includes(prompt)) return script[turn - 1] ?? 'Done.'
    return 'The guide is up to date.'
  }
}
