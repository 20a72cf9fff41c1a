/** Compares versions as programs print them. */

/** Whether `found` is `least` or newer, number by number; what follows the numbers (`3.3a`) does not count. */
export function reaches(found: string, least: string): boolean {
  const [have, want] = [numbersOf(found), numbersOf(least)]
  for (const [index, wanted] of want.entries()) {
    const had = have[index] ?? 0
    if (had !== wanted) return had > wanted
  }
  return true
}

const numbersOf = (version: string): number[] => {
  const [numbers = ''] = /\d+(?:\.\d+)*/.exec(version) ?? []
  return numbers === '' ? [] : numbers.split('.').map(Number)
}
