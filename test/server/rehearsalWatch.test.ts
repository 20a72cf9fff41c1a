/** A worker notices which versions of an agent program are launched, and does about them what the configuration says. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parseConfig } from '../../config/load/load.js'
import { openHome } from '../../config/state/home.js'
import { writeVerdict } from '../../config/state/rehearsals.js'
import { Host } from '../../host/host.js'
import { until } from '../../lab/until.js'
import type { RehearsalMode } from '../../policy/rehearsal.js'
import { RehearsalWatch } from '../../worker/rehearsals/watch.js'

let dir: string
let host: Host
let watch: RehearsalWatch | null

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-rehearsals-'))
  watch = null
})
afterEach(async () => {
  await watch?.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** The agent program, which notes each time that it is asked for its version. */
const program = (): string => join(dir, 'agent')
const asked = (): string => join(dir, 'asked')
const install = (version: string): void =>
  writeFileSync(program(), `#!/bin/sh\necho '${version}' >> '${asked()}'\necho '${version} (Agent)'\n`, {
    mode: 0o755,
  })
const timesAsked = (version: string): number => {
  try {
    return readFileSync(asked(), 'utf8')
      .split('\n')
      .filter((line) => line === version).length
  } catch {
    return 0
  }
}

function begin(rehearse: RehearsalMode): void {
  const text = `
pool: { accounts: [{ name: max-1, configDir: ${dir} }] }
agents: { claude-code: { command: ${program()}, rehearse: ${rehearse} } }
`
  const home = openHome({ OUTPOOL_HOME: join(dir, 'state') })
  host = new Host(home, parseConfig(text, join(dir, 'outpool.yaml'), {}))
  watch = new RehearsalWatch(host)
  watch.start()
}

/** As a launch notes it; returns when the watch has seen it. */
const launch = async (): Promise<void> => {
  host.launchedAgents.add('claude-code')
  await until(
    'a look at the launched program',
    () => Promise.resolve(host.launchedAgents.size),
    (size) => size === 0,
  )
}

const untilAsked = (version: string) =>
  until(
    `version ${version}`,
    () => Promise.resolve(timesAsked(version)),
    (times) => times === 1,
  )

const recorded = (): string[] =>
  host.events
    .stored()
    .flatMap((event) => (event.kind === 'agent-unrehearsed' ? [event.version] : [event.kind]))

it('ask: each version is an event once, and a program that has not changed is not asked again', async () => {
  install('1.0.0')
  begin('ask')
  await launch()
  await untilAsked('1.0.0')
  await launch()
  install('1.0.12')
  await launch()
  await untilAsked('1.0.12')
  await until(
    'both events',
    () => Promise.resolve(recorded()),
    (versions) => versions.length === 2,
  )
  expect(recorded()).toEqual(['1.0.0', '1.0.12'])
  expect(timesAsked('1.0.0')).toBe(1)
})

it('nothing is done about a version that was rehearsed', async () => {
  install('1.0.0')
  begin('auto')
  writeVerdict(host.home, {
    ...{ agent: 'claude-code', version: '1.0.0', program: program(), outpool: '0.1.0', seconds: 60 },
    ...{ at: new Date().toISOString(), results: [] },
  })
  await launch()
  await untilAsked('1.0.0')
  await watch?.stop()
  expect(recorded()).toEqual([])
})

it('off: the program is not even asked', async () => {
  install('1.0.0')
  begin('off')
  await launch()
  await watch?.stop()
  expect(timesAsked('1.0.0')).toBe(0)
  expect(recorded()).toEqual([])
})
