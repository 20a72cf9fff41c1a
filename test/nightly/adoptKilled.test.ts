/** Law 7: kill the worker at every step of an adoption; the agent runs once, in the old place or the new one, with everything said. */
import { afterAll, beforeAll, it } from 'vitest'
import { Person } from '../../lab/person.js'
import { type AdoptionPoint, adoptionPoints, killDuringAdoption } from './adoptKills.js'
import { fleet, shareFleet } from '../agent/chaosSupport.js'

shareFleet(1)

let person: Person
beforeAll(() => {
  person = new Person(fleet)
})
afterAll(() => person.close())

it.each((Object.keys(adoptionPoints) as AdoptionPoint[]).map((point, n) => ({ point, name: `alpha-${n}` })))(
  'law 7: when $point, the adoption is finished, without a second process',
  ({ point, name }) => killDuringAdoption(person, point, name, 'max-1'),
)
