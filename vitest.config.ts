import { defineConfig } from 'vitest/config'

/** Real parts are slow to start on two cores; a hanging test still has to end well before CI does. */
const realParts = { testTimeout: 120_000, hookTimeout: 120_000, pool: 'forks' as const }

/** Tiers of one group share the workers; a group begins when the one before it has ended. */
const group = (groupOrder: number) => ({ sequence: { groupOrder } })
const computing = { ...group(1), maxWorkers: 2 }
const waiting = { ...group(2), maxWorkers: 3 }

const tier = (name: string, options: object = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
})

export default defineConfig({
  test: {
    // As many files at a time on any machine; why, and what that asks of a test, is in docs/decisions/0012-test-tiers.md.
    projects: [
      tier('policy', computing),
      tier('workflow', { ...realParts, ...computing, exclude: ['test/workflow/drain/**'] }),
      tier('drain', { ...realParts, ...computing, include: ['test/workflow/drain/*.test.ts'] }),
      tier('replay', { ...realParts, ...computing }),
      tier('server', { ...realParts, ...waiting }),
      tier('agent', { ...realParts, ...waiting }),
    ],
  },
})
