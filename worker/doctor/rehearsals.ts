/** Whether the installed version of an agent program was rehearsed, and how it did. */
import type { Home } from '../../config/state/home.js'
import { readVerdict, type RehearsalResult, shortfalls } from '../../config/state/rehearsals.js'
import { featuresOff } from '../../policy/features.js'
import { featuresOffText } from '../../policy/featureTexts.js'
import { type Finding, fail, ok, warn } from './finding.js'

export function checkRehearsal(home: Home, agent: string, version: string): Finding {
  const name = `rehearsal ${agent}`
  const verdict = readVerdict(home, agent, version)
  if (verdict === null)
    return warn(
      name,
      `${version} was never rehearsed here, so it is not known whether it behaves as Outpool expects`,
      'Run `outpool rehearse`: it takes about a minute, and touches nothing of yours.',
    )
  const missed = shortfalls(verdict)
  if (missed.length === 0) return ok(name, `${version} held all ${verdict.results.length} expectations`)
  const essential = missed.filter(({ isEssential }) => isEssential)
  const [worst] = essential.length > 0 ? essential : missed
  const off = featuresOff(verdict.results).map(({ feature }) => feature)
  const means = featuresOffText(off) ?? worst?.consequence ?? ''
  const found = `${version} fell short: ${missed.map(inWords).join(', ')}; ${means}`
  const remedy =
    'See `outpool rehearse` for what each means; the version that Outpool pins is in its package.json.'
  return essential.length > 0 ? fail(name, found, remedy) : warn(name, found, remedy)
}

const inWords = ({ name, outcome }: RehearsalResult): string =>
  outcome === 'broken' ? name : `${name} (not known)`
