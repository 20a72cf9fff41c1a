import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { hangsAfterMs } from './lab/until.js'

/** Ends what hangs, well before CI does; a busy machine may be many times slower than an idle one. */
const hanging = { testTimeout: 300_000, hookTimeout: 300_000 }

/** Projects of one group share the workers; a group begins when the one before it has ended. */
const group = (groupOrder: number, maxWorkers: number) => ({ sequence: { groupOrder }, maxWorkers })
const computing = group(1, 4)
const waiting = group(2, 6)
const alone = group(3, 2)

/** A new process for each file costs half a second of a core, as much as most of these files need. */
const shared = { isolate: false, setupFiles: ['test/sharedProcess.ts'] }

const bundle = 'test/workflow/harness/bundle.ts'
const sharedEngine = 'lab/engine/sharedEngine.ts'
const bundled = { globalSetup: [bundle] }
const withEngine = { globalSetup: [sharedEngine] }

/**
 * The files that take longest, by group: they begin first, so that none of them is left over at the end. Those of the first group that
 * wait for an engine take turns with those that compute.
 */
const longest = `
  workflow/watchdogFaults workflow/drain/drain1 workflow/events workflow/week/week workflow/renewal workflow/drain/fallback1
  workflow/trouble workflow/leakedLock workflow/incidentNotices workflow/orders workflow/notices workflow/texts workflow/pool
  policy/drain/drain1 policy/drain/drain2 policy/forecast/forecast policy/drain/fallback1 policy/drain/fallback2
  agent/chaos agent/typing agent/holding agent/adopt server/endedAtEngine agent/pages agent/background server/engine agent/rescue
  agent/metrics agent/seen server/clientTop agent/package server/clientOrders server/client server/doctor agent/wakeUp server/attacks
  server/doctor-configuration server/doctor-engine
  agent/fallback agent/switchedOff agent/conversationKept server/watchdogKilled server/engine-download server/loop server/localSocket
  agent/engineOutage agent/trickyTexts server/clientUsage server/mail server/watchdog agent/initAdopts agent/drill
`
  .trim()
  .split(/\s+/)

/** These follow the others, each project by itself: a process goes on with the next file only if it is of the same project. */
const units = ['replay', 'policy', 'adapter', 'host', 'config']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
      return index < 0 ? longest.length : index
    }
    const block = ({ project }: TestSpecification): number => units.indexOf(project.name)
    return (await super.sort(files)).sort((a, b) => block(a) - block(b) || place(a) - place(b))
  }
}

const tier = (name: string, options: object = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
})

export default defineConfig({
  test: {
    ...hanging,
    expect: { poll: { timeout: hangsAfterMs } },
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // As many files at a time on any machine; why, and what that asks of a test, is in docs/decisions/0012-test-tiers.md.
    projects: [
      tier('policy', { ...computing, ...shared, pool: 'threads' }),
      tier('config', { ...computing, ...shared }),
      tier('host', { ...computing, ...shared }),
      tier('adapter', { ...computing, ...shared }),
      tier('replay', { ...computing, ...bundled }),
      tier('workflow', { ...computing, ...bundled, exclude: ['test/workflow/drain/**'] }),
      tier('drain', {
        ...computing,
        ...bundled,
        include: ['test/workflow/drain/*.test.ts'],
      }),
      tier('server', { ...waiting, ...withEngine }),
      tier('agent', { ...waiting, ...withEngine }),
      tier('nightly', { ...alone, globalSetup: [bundle, sharedEngine] }),
    ],
  },
})
