/** How many rounds of an empty loop the stub agent's shell needs to use this much CPU. */
import { execFileSync } from 'node:child_process'
import { median } from './harness.js'

const rounds = 300_000
const loop = `n=${rounds}; while [ "$n" -gt 0 ]; do n=$((n - 1)); done; times`

export function roundsFor(cpuMs: number): number {
  const costs = Array.from({ length: 5 }, () => {
    // The shell's own user and system time are in the first line: `0m0.210000s 0m0.000000s`.
    const said = execFileSync('/bin/sh', ['-c', loop], { encoding: 'utf8' }).split('\n')[0] ?? ''
    const parts = [...said.matchAll(/(\d+)m([\d.]+)s/g)]
    return parts.reduce(
      (sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000,
      0,
    )
  })
  return Math.round((rounds * cpuMs) / median(costs))
}
