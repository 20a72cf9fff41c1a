/** Commands in a process that stays, as fleets of the tests run them: nothing tells them from commands with a process each. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { builtCommand } from '../../lab/fleet.js'
import { type CommandPlace, runCommand } from '../../lab/machine/runCommand.js'
import { WarmCommand } from '../../lab/machine/warmCommand.js'
import { newTestHome, type TestHome } from './testHome.js'

let home: TestHome
let place: CommandPlace
let warm: WarmCommand
beforeEach(() => {
  home = newTestHome()
  place = { env: home.env, cwd: home.dir }
  warm = new WarmCommand(builtCommand)
})
afterEach(async () => {
  await warm.close()
  home.remove()
})

/** What prints and succeeds, fails on usage, has no engine, and lets another program print. */
const commands = [['config', 'path'], ['no-such-command'], ['config', 'path'], ['ls'], ['trust', 'work']]

it('print and exit as in a process of their own, one after the other', async () => {
  const codes: (number | null)[] = []
  for (const args of commands) {
    const result = await warm.run(args, place)
    expect(result).toEqual(await runCommand(builtCommand, args, place))
    codes.push(result.code)
  }
  expect(codes).toEqual([0, 2, 0, 3, 0])
})

it('may be run at the same time', async () => {
  const results = await Promise.all(commands.map((args) => warm.run(args, place)))
  expect(results.map(({ code }) => code)).toEqual([0, 2, 0, 3, 0])
  expect(results[2]).toEqual(results[0])
})
