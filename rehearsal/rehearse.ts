/**
 * Checks every expectation on the agent program as it is installed here: in a folder that is removed afterwards, with made-up logins,
 * against a stand-in of its API on loopback. Nothing of the person's is read, changed or reached.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Expectation } from '../agents/adapter/expectation.js'
import type { RehearsalResult } from '../config/state/rehearsals.js'
import { PaneHarness } from '../lab/paneHarness.js'
import { hostEnv } from '../lab/standin/cleanEnv.js'
import { startWorld } from '../lab/standin/world.js'
import { Checks, shortMessage, type Scene } from './checks.js'
import type { Context } from './claude-code/context.js'

/** So many scenes run at a time: each starts one program after the other. */
const scenesAtOnce = 3

interface Rehearsal {
  /** Absolute path of the program. */
  program: string
  expectations: readonly Expectation[]
  scenes: readonly Scene<Context>[]
  /** How long something that is expected may take to come, in ms. */
  patience: number
  /** Called when a scene is over. */
  onProgress: (scene: string) => void
}

/**
 * Takes this process over: its environment is clean afterwards. A scene in which something did not hold is repeated, alone and with more
 * patience: a verdict switches features off, and a busy machine may only have been slow.
 */
export async function rehearse({ expectations, ...first }: Rehearsal): Promise<RehearsalResult[]> {
  // Before the environment names another one.
  const parent = tmpdir()
  const checks = await tryScenes(parent, first, scenesAtOnce)
  const scenes = first.scenes.filter(({ covers }) => !checks.haveHeld(covers))
  if (scenes.length > 0) {
    const onProgress = (scene: string): void => first.onProgress(`${scene}, once more`)
    checks.add(await tryScenes(parent, { ...first, scenes, onProgress, patience: 2 * first.patience }, 1))
  }
  return checks.results(expectations)
}

/** In a folder of its own below `parent`, so that nothing of another try is taken for something of this one. */
async function tryScenes(
  parent: string,
  { program, scenes, patience, onProgress }: Omit<Rehearsal, 'expectations'>,
  atOnce: number,
): Promise<Checks> {
  const dir = mkdtempSync(join(parent, 'outpool-rehearsal-'))
  cleanEnvironment(hostEnv(dir))
  const checks = new Checks()
  const world = await startWorld(dir)
  const harness = new PaneHarness(dir, world, { program, patience })
  const command = { command: program, args: [], env: world.agentEnv }
  const waiting = [...scenes]
  const runScenes = async (): Promise<void> => {
    for (let scene = waiting.shift(); scene !== undefined; scene = waiting.shift()) {
      try {
        await scene.run({ harness, world, command }, checks)
      } catch (error) {
        checks.leaveUnchecked(scene.covers, shortMessage(error))
      }
      checks.leaveUnchecked(scene.covers, 'something before it failed')
      onProgress(scene.name)
    }
  }
  try {
    await Promise.race([Promise.all(Array.from({ length: atOnce }, runScenes)), untilInterrupted()])
  } finally {
    await harness.stop().finally(() => rmSync(dir, { recursive: true, force: true }))
  }
  return checks
}

/** Rejects when a person has had enough, or the process that asked for it has died: what was started is ended all the same. */
const untilInterrupted = (): Promise<never> =>
  new Promise((_resolve, reject) => {
    const orphaned = (): void => reject(new Error('the process that started the rehearsal has ended'))
    process.once('disconnect', orphaned)
    if (process.channel !== undefined && !process.connected) orphaned()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => reject(new Error(`the rehearsal was ended by ${signal}`)))
  })

/** The adapter runs the program in an environment that it derives from this process's. */
function cleanEnvironment(env: Record<string, string>): void {
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name)
  Object.assign(process.env, env)
}
