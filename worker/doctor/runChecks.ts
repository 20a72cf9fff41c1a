/** Runs checks concurrently. A check that hangs or throws does not affect the others. */
import { type Finding, fail, failed } from './finding.js'

export interface Check {
  /** Name of the finding if the check throws or takes too long. */
  name: string
  /** Time limit, from its start. Milliseconds. */
  within: number
  run: () => Promise<Finding[]>
}

/** Agent programs take 300 MB and a core each for a moment: this many checks at a time leave the machine usable. */
const concurrency = 4

/** The findings in the order of the checks. Never throws. */
export async function runChecks(checks: readonly Check[]): Promise<Finding[]> {
  const results: Finding[][] = checks.map(() => [])
  const waiting = checks.entries()
  const lane = async (): Promise<void> => {
    for (const [index, check] of waiting) results[index] = await runWithin(check)
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  return results.flat()
}

async function runWithin({ name, within, run }: Check): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(
      () =>
        resolve([
          fail(name, `gave no answer within ${within / 1000} s`, 'Try it by hand; is the machine very busy?'),
        ]),
      within,
    )
  })
  try {
    return await Promise.race([run(), late])
  } catch (error) {
    return [failed(name, error)]
  } finally {
    clearTimeout(timer)
  }
}
