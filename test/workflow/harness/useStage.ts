/** A theatre for the test file and a stage for each test, opened on demand and looked over at its end. */
import { afterAll, afterEach, beforeAll } from 'vitest'
import { Stage, type StageOptions } from './stage.js'
import { Theatre } from './theatre.js'

/** `open`: on which server; the one with virtual time unless said otherwise. */
export function useStage(
  open: () => Promise<Theatre> = () => Theatre.open(),
): (options: StageOptions) => Promise<Stage> {
  let theatre: Theatre
  let stages: Stage[] = []
  beforeAll(async () => {
    theatre = await open()
  })
  afterEach(async () => {
    const still = stages
    stages = []
    for (const stage of still) await stage.close()
  })
  afterAll(() => theatre.close())
  return async (options) => {
    const stage = await Stage.open(theatre, options)
    stages.push(stage)
    return stage
  }
}
