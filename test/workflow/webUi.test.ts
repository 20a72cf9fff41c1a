/** Law 14: what Temporal's Web UI shows. Pages and timers read as a story, a new run keeps it, and a silent host is seen. */
import type { WorkflowHandle } from '@temporalio/client'
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import { describe, expect, it } from 'vitest'
import { readableText } from '../../policy/envelope.js'
import { searchAttributes } from '../../policy/ids.js'
import type { HostReport } from '../../policy/notices/hostReport.js'
import { poolSignals } from '../../workflows/messages.js'
import { hour, type TestPool } from './harness/testPool.js'
import { useTestPool } from './harness/useTestPool.js'

const open = useTestPool()

/** As the Web UI asks for it. */
async function page(handle: WorkflowHandle): Promise<string> {
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata')
  return metadata.currentDetails ?? ''
}

const untilPage = (testPool: TestPool, handle: WorkflowHandle, wanted: RegExp): Promise<string> =>
  testPool.until(
    `a page with ${String(wanted)}`,
    () => page(handle),
    (text) => wanted.test(text),
  )

/** What the timers of a run wait for. */
async function timersOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory()
  return (events ?? [])
    .filter(({ timerStartedEventAttributes: timer }) => timer != null)
    .map(({ userMetadata }) => Buffer.from(userMetadata?.summary?.data ?? []).toString())
    .map((text) => (text === '' ? '' : (readableText(JSON.parse(text)) ?? '')))
}

async function renew(testPool: TestPool, handle: WorkflowHandle, order: () => Promise<void>): Promise<void> {
  const { runId } = await handle.describe()
  await order()
  await testPool.untilContinuedAsNew(handle, runId)
}

describe('law 14: the Web UI', () => {
  it('law 14: the page of the pool says what was decided and what is waited for, also in a new run', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    await testPool.hitWall(session, 'b', hour)
    await testPool.untilSession(session, ({ phase }) => phase === 'parked')
    const story = [
      new RegExp(`^- \\d\\d:\\d\\d \\*\\*${session}\\*\\* waits until \\d\\d:\\d\\d: .*walled`, 'm'),
      new RegExp(`^- \\d\\d:\\d\\d \\*\\*${session}\\*\\* → b: `, 'm'),
      new RegExp(`^- \\d\\d:\\d\\d \\*\\*${session}\\*\\* → a: `, 'm'),
    ]
    const before = await page(testPool.poolHandle)
    for (const line of story) expect(before).toMatch(line)
    await renew(testPool, testPool.poolHandle, () => testPool.poolHandle.signal(poolSignals.migrate))
    const after = await page(testPool.poolHandle)
    for (const line of story) expect(after).toMatch(line)
    expect(after).toContain(`**${testPool.name}**`)
    const timers = await timersOf(testPool.poolHandle)
    expect(timers).not.toContain('')
    expect(timers).toContainEqual(
      expect.stringMatching(new RegExp(`^until \\d\\d:\\d\\d: the next chance of ${session}$`)),
    )
  })

  it('law 14: the page of a session keeps its moves in a new run', async () => {
    const testPool = await open({ accounts: ['a', 'b'] })
    const session = await testPool.startRunning('one', { account: 'a' })
    await testPool.hitWall(session, 'a')
    await testPool.untilOnAccount(session, 'b')
    const handle = testPool.handle(session)
    await renew(testPool, handle, () => testPool.signal(session, 'migrate'))
    expect(await untilPage(testPool, handle, /a → b/)).toMatch(/move 1, \*\*wall\*\*: a → b/)
  })

  it('law 14: a session whose host is silent says so on its page and in the list, until it is heard of again', async () => {
    const testPool = await open({ accounts: ['a'] })
    const session = await testPool.startRunning('one')
    const handle = testPool.handle(session)
    const { hostId } = testPool.host
    const since = new Date(await testPool.server.now()).toISOString()
    const report = (silent: boolean): Promise<void> => {
      const said: HostReport = {
        ...{ host: 'another', sessions: [], loggedOut: [], drySpell: null },
        silentHosts: silent ? [{ host: hostId, since, sessions: 1 }] : [],
      }
      return testPool.poolHandle.signal(poolSignals.reportHost, said)
    }
    const attention = defineSearchAttributeKey(searchAttributes.attention, SearchAttributeType.BOOL)
    const needsPerson = async (): Promise<unknown> =>
      (await handle.describe()).typedSearchAttributes.get(attention)
    await report(true)
    await untilPage(
      testPool,
      handle,
      /^\*\*Not watched:\*\* the worker of its host .* was last heard of at \d\d:\d\d UTC/,
    )
    expect(await page(testPool.poolHandle)).toContain(`The worker of **${hostId}** was last heard of`)
    expect(await needsPerson()).toBe(true)
    await renew(testPool, handle, () => testPool.signal(session, 'migrate'))
    await untilPage(testPool, handle, /Not watched/)
    await report(false)
    expect(await untilPage(testPool, handle, /^\*\*up\*\*/)).not.toContain('Not watched')
    expect(await page(testPool.poolHandle)).not.toContain('last heard of')
    expect(await needsPerson()).toBe(false)
  })
})
