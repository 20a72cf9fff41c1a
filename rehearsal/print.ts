/** A verdict as text: what did not hold comes last, with what it means. */
import { shortfalls, type Verdict } from '../config/state/rehearsals.js'
import { featuresOff } from '../policy/features.js'
import { featuresOffText, featureTexts } from '../policy/featureTexts.js'

const marks = { held: 'held', broken: 'BROKEN', unchecked: 'not known' } as const

export function formatVerdict(verdict: Verdict): string {
  const { agent, version, results, seconds } = verdict
  const width = Math.max(...results.map(({ name }) => name.length))
  const rows = results.map(
    ({ name, outcome, statement }) => `${marks[outcome].padEnd(9)}  ${name.padEnd(width)}  ${statement}`,
  )
  const missed = shortfalls(verdict).flatMap(({ name, outcome, why, consequence, isEssential, feature }) => [
    '',
    `${name}: ${outcome === 'broken' ? 'does not hold' : 'could not be checked'}: ${why ?? ''}`,
    `  -> ${isEssential ? 'essential: ' : ''}${consequence}`,
    `  -> ${feature === null || outcome !== 'broken' ? 'nothing is switched off' : `switched off: ${featureTexts[feature]}`}`,
  ])
  const off = featuresOffText(featuresOff(results).map(({ feature }) => feature))
  const held = results.length - shortfalls(verdict).length
  return [
    ...rows,
    ...missed,
    '',
    `${agent} ${version}: ${held} of ${results.length} expectations held (${seconds} s)`,
    ...(off === null ? [] : [`With this version ${off}.`]),
  ].join('\n')
}
