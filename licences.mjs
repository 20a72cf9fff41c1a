// Checks that every package of the lock file, at any depth, has a licence that Outpool may be built with and delivered with.
import { readFileSync } from 'node:fs'

/** Permissive ones, and MPL-2.0 and CC-BY-4.0, which ask nothing of the code beside them. */
const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC-BY-4.0',
  'ISC',
  'MIT',
  'MPL-2.0',
  'Unlicense',
])

/** Packages whose manifest names no licence by its SPDX id, each with the reason why it may be used. */
const exceptions = [
  // Only the tests run it, unmodified, as everyone installs it; it is no part of a package of ours.
  { name: /^@anthropic-ai\/claude-code(-[a-z0-9-]+)?$/, onlyDev: true },
  // Its LICENSE file is the Unlicense; Temporal's bundler brings it.
  { name: /^unionfs$/, onlyDev: false },
]

/** `A OR B` leaves the choice; `A AND B` asks for both. */
const isAllowed = (licence) =>
  licence
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((id) => allowed.has(id.trim())))

const { packages } = JSON.parse(readFileSync(new URL('package-lock.json', import.meta.url), 'utf8'))
const refused = Object.entries(packages).flatMap(([folder, { license = 'none named', dev = false }]) => {
  const name = folder.split('node_modules/').at(-1)
  const isException = exceptions.some(({ name: known, onlyDev }) => known.test(name) && (dev || !onlyDev))
  return isException || isAllowed(license) ? [] : [`${name}: ${license}`]
})

if (refused.length > 0) {
  console.error(
    `These licences are not on the list in licences.mjs:\n${refused.map((line) => `  ${line}`).join('\n')}\n` +
      'Read the licence; then take another package, or add the licence or an exception with its reason.',
  )
  process.exitCode = 1
}
