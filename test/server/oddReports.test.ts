/** What others put among the reports and records of sessions stops nothing but itself. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { beforeEach, expect, it, vi } from 'vitest'
import { launchAgent } from '../../activities/session/launch.js'
import { restoreRecord } from '../../activities/watch/restoreRecord.js'
import { Sampler } from '../../activities/watch/sampler.js'
import type { LaunchRequest, WatchRequest } from '../../activities/contracts.js'
import type { Host } from '../../host/host.js'
import type { LaunchRecord } from '../../host/state/sessionRecord.js'
import { until } from '../../lab/until.js'
import { eachWithHost } from './eachWithHost.js'

const sessionId = '7da1d9f0-0000-4000-8000-000000000000'
const place = { kind: 'account' as const, name: 'max-1' }

let dir: string
let host: Host

beforeEach(() => {
  vi.spyOn(console, 'error').mockReturnValue(undefined)
})
eachWithHost((...made) => ([host, dir] = made))

const launch = (fence: number): LaunchRecord => ({
  ...{ fence, place, agent: 'claude-code', sessionId, cwd: dir, process: null },
  ...{ transcriptFrom: 0, prompt: null, forkedAt: null },
})

it('law 15: pipes, links, folders and a broken record among the reports stop no other report', async () => {
  host.records.saveLaunch('good', launch(1))
  mkdirSync(join(host.home.sessions, 'bad'))
  writeFileSync(join(host.home.sessions, 'bad', 'record.json'), '{"launches": [')
  const report = (name: string): string => join(host.home.reports, name)
  mkdirSync(report('good.1.SessionEnd.1-1'))
  mkdirSync(report('good.1.StatusLine.last'))
  execFileSync('mkfifo', [report('good.1.SessionEnd.2-1')])
  execFileSync('mkfifo', [report('good.1.Stop.last')])
  symlinkSync('/etc/passwd', report('good.1.SessionEnd.3-1'))
  symlinkSync(join(dir, 'nowhere'), report('good.1.SessionEnd.4-1'))
  writeFileSync(report('bad.1.UserPromptSubmit.5-1'), '')
  const limits = { five_hour: { used_percentage: 42, resets_at: null } }
  writeFileSync(report('good.1.StatusLine.6-1'), JSON.stringify({ rate_limits: limits }))

  const sampler = new Sampler(host)
  sampler.start()
  try {
    await until(
      'the report of the good session',
      () => Promise.resolve(host.quota.read('max-1').windows),
      (windows) => windows[0]?.used === 0.42,
    )
    await until(
      'the odd ones to be set aside',
      () => Promise.resolve(readdirSync(host.home.odd)),
      (names) => names.length === 7,
    )
  } finally {
    await sampler.stop()
  }
  // The report of the session with the broken record waits for its watch, as any report without one does.
  expect(readdirSync(host.home.reports)).toEqual(['bad.1.UserPromptSubmit.5-1'])
})

it('law 3: the record of a session that was broken is made again, and its pane shows which launches are too old', async () => {
  await host.tmux.spawn({ session: 's', fence: 7, cwd: dir, argv: ['/bin/cat'], status: '' })
  mkdirSync(join(host.home.sessions, 's'))
  writeFileSync(join(host.home.sessions, 's', 'record.json'), 'no JSON')
  const request = { ...launch(7), session: 's' } as unknown as WatchRequest & LaunchRequest

  const late = new MockActivityEnvironment().run(() =>
    launchAgent(host, { ...request, fence: 6, mode: 'resume', prompt: null, model: null, status: '' }),
  )
  await expect(late).rejects.toThrow(/fence 6 .*older than 7/)

  await restoreRecord(host, { ...request, fence: 6 })
  expect(host.records.newest('s')).toBeNull()
  await restoreRecord(host, request)
  expect(host.records.isLost('s')).toBe(false)
  const pane = await host.tmux.pane('s')
  expect(host.records.newest('s')).toMatchObject({ fence: 7, sessionId, process: { pid: pane?.pid } })
})
