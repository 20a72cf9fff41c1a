/** Which agents can be adopted, what would be lost, and when one is taken over. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  adoptionLosses,
  adoptionRefusal,
  adoptionRefusals,
  type AdoptionFacts,
  type AdoptionLoss,
  type CarryFacts,
  nextTakeOverStep,
} from '../../policy/session/adoption.js'
import { adoptionLossText, adoptionRefusalText } from '../../policy/session/adoptionTexts.js'

const adoptable: AdoptionFacts = {
  startedBy: 'person',
  isInteractive: true,
  hasState: true,
  hasTranscript: true,
  hasFolder: true,
}

describe('which agents can be adopted', () => {
  it.each<[Partial<AdoptionFacts>, string | null]>([
    [{}, null],
    [{ startedBy: 'agent' }, 'started-by-agent'],
    [{ startedBy: 'another-outpool' }, 'another-outpool'],
    [{ isInteractive: false }, 'not-interactive'],
    [{ hasState: false, hasTranscript: false }, 'no-state'],
    [{ hasTranscript: false }, 'nothing-said'],
    [{ hasFolder: false }, 'folder-missing'],
  ])('%j: %s', (facts, refusal) => {
    expect(adoptionRefusal({ ...adoptable, ...facts })).toBe(refusal)
  })

  it('says of each reason what it is', () => {
    const texts = adoptionRefusals.map(adoptionRefusalText)
    expect(new Set(texts).size).toBe(adoptionRefusals.length)
  })
})

const nothing: CarryFacts = {
  draft: 'none',
  hasStashedDraft: false,
  tasks: [],
  variables: [],
  options: [],
}

describe('law 5: what does not carry over is named', () => {
  it.each<[Partial<CarryFacts>, AdoptionLoss[]]>([
    [{}, []],
    [{ draft: 'whole' }, []],
    [{ draft: 'cut' }, [{ kind: 'cut-draft' }]],
    [{ draft: null }, [{ kind: 'unseen-input' }]],
    [{ hasStashedDraft: true }, [{ kind: 'stashed-draft' }]],
    [{ tasks: ['a build'] }, [{ kind: 'background-tasks', tasks: ['a build'] }]],
    [{ variables: ['X'] }, [{ kind: 'variables', names: ['X'] }]],
    [{ options: ['--new'] }, [{ kind: 'options', names: ['--new'] }]],
  ])('%j', (facts, losses) => {
    expect(adoptionLosses({ ...nothing, ...facts })).toEqual(losses)
    expect(adoptionLossText(losses) === '').toBe(losses.length === 0)
  })
})

const activities = fc.constantFrom('busy' as const, 'idle' as const, 'menu' as const, 'dialog' as const)
const losses = fc.constantFrom<AdoptionLoss[]>([], [{ kind: 'cut-draft' }])

describe('when an agent is taken over', () => {
  it('law 6: never in a turn or a dialog, unless its person wants it now', () => {
    fc.assert(
      fc.property(activities, losses, fc.boolean(), (activity, lost, acceptsLoss) => {
        const step = nextTakeOverStep({ activity, losses: lost }, { now: false, acceptsLoss })
        if (activity === 'busy' || activity === 'dialog') expect(step).toBe('wait')
        if (step === 'take') expect(activity).toBe('idle')
      }),
    )
  })

  it('law 5: never with a loss that no person has accepted', () => {
    fc.assert(
      fc.property(activities, losses, fc.boolean(), fc.boolean(), (activity, lost, now, acceptsLoss) => {
        const step = nextTakeOverStep({ activity, losses: lost }, { now, acceptsLoss })
        if (step === 'take') expect(lost.length === 0 || acceptsLoss).toBe(true)
        if (step === 'blocked') expect(acceptsLoss).toBe(false)
      }),
    )
  })

  it('a menu is closed first, since it hides the input line', () => {
    const facts = { activity: 'menu' as const, losses: [] }
    expect(nextTakeOverStep(facts, { now: true, acceptsLoss: true })).toBe('close-menu')
  })
})
