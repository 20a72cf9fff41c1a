/** What keeps an agent from being adopted, or would be lost by it, for the person who can change it. */
import { formatList } from '../formatList.js'
import type { AdoptionLoss, AdoptionRefusal } from './adoption.js'

const refusalTexts: Readonly<Record<AdoptionRefusal, string>> = {
  'started-by-agent': 'another agent started it',
  'another-outpool': 'an Outpool with another home keeps it',
  'not-interactive': 'it runs without a person, and ends by itself',
  'no-state': 'it reports no state: it is starting, or keeps no conversation',
  'nothing-said': 'nothing was said to it yet, so there is no conversation to keep',
  'folder-missing': 'the folder in which it works is gone',
}

export const adoptionRefusalText = (refusal: AdoptionRefusal): string => refusalTexts[refusal]

function oneLossText(loss: AdoptionLoss): string {
  switch (loss.kind) {
    case 'unseen-input':
      return 'what is typed in its terminal and not sent, which only tmux could show'
    case 'cut-draft':
      return 'the draft in its input line, which its screen does not show whole (send it or clear it)'
    case 'stashed-draft':
      return 'its stashed draft (send it or clear it)'
    case 'background-tasks':
      return `what runs in its background: ${formatList(loss.tasks)}`
    case 'variables':
      return `the variables ${formatList(loss.names)} of its environment`
    case 'options':
      return `the options ${formatList(loss.names)}, which Outpool does not know`
  }
}

/** One line without an end mark; empty if nothing would be lost. */
export const adoptionLossText = (losses: readonly AdoptionLoss[]): string =>
  losses.map(oneLossText).join('; ')
