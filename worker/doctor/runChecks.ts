/** Runs checks side by side. None can hang or end the others. */
import { type Finding, fail, failed } from './finding.js'

export interface Check {
  /** Names the check where it gives no finding of its own: it threw, or it took too long. */
  name: string
  /** Milliseconds from its start on. */
  within: number
  look: () => Promise<Finding[]>
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

async function runWithin({ name, within, look }: Check): Promise<Finding[]> {
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
    return await Promise.race([look(), late])
  } catch (error) {
    return [failed(name, error)]
  } finally {
    clearTimeout(timer)
  }
}
