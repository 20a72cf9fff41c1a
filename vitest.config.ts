import { defineConfig } from 'vitest/config'

/** Real parts are slow to start on two cores; a hanging test still has to end well before CI does. */
const realParts = { testTimeout: 120_000, hookTimeout: 120_000, pool: 'forks' as const }

const tier = (name: string, options: object = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
})

export default defineConfig({
  test: {
    // One file at a time in the tiers with real parts: two files would share two cores and time each other out.
    projects: [
      tier('policy'),
      tier('workflow', { ...realParts, fileParallelism: false, exclude: ['test/workflow/drain/**'] }),
      // Pure computing on a server of its own for each file: one file for each core.
      tier('drain', { ...realParts, include: ['test/workflow/drain/**/*.test.ts'], maxWorkers: 4 }),
      tier('server', { ...realParts, fileParallelism: false }),
      tier('agent', { ...realParts, fileParallelism: false }),
      tier('replay', { ...realParts }),
    ],
  },
})
