// What the wake-up is checked by, beside the loop's own beat: whether work was done within the last five seconds.
import { statSync } from 'node:fs'

const age = Date.now() - statSync('work/done.log').mtimeMs
console.log(`the last cycle was ${Math.round(age / 1000)} s ago`)
process.exitCode = age < 5_000 ? 0 : 1
