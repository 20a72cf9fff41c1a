/** What a rehearsal leaves, without one. */
import { expectations } from '../agents/claude-code/expectations.js'
import type { Verdict } from '../config/state/rehearsals.js'

/** The verdict on a version of Claude Code in which these expectations turned out to be broken, and all others held. */
export const verdictOf = (version: string, broken: readonly string[]): Verdict => ({
  ...{ agent: 'claude-code', version, program: '/usr/bin/claude', outpool: '0.1.0', seconds: 60 },
  at: new Date().toISOString(),
  results: expectations.map(({ isEssential = false, feature = null, ...expectation }) => ({
    ...{ ...expectation, isEssential, feature },
    ...(broken.includes(expectation.name)
      ? { outcome: 'broken' as const, why: 'it does something else' }
      : { outcome: 'held' as const, why: null }),
  })),
})
