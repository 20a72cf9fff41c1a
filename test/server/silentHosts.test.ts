/** Which hosts a worker misses, on a real engine; time passes by the clock that the worker reads. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Connection } from '@temporalio/client'
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import { giveSignsOfLife } from '../../config/engine/signsOfLife.js'
import { parseConfig } from '../../config/load/load.js'
import { Host } from '../../host/host.js'
import { sharedServer } from '../../lab/engine/engine.js'
import { sealedClient } from '../../lab/engine/sealed.js'
import { until } from '../../lab/until.js'
import { searchAttributes, sessionWorkflowId } from '../../policy/ids.js'
import { SilentHosts } from '../../worker/hostReport/silentHosts.js'

const hostKey = defineSearchAttributeKey(searchAttributes.host, SearchAttributeType.KEYWORD)

it('law 14: a host with sessions is missed after a minute without a sign of life, and no longer when there is one', async () => {
  const server = await sharedServer()
  const { home, namespace } = server
  const connection = await Connection.connect(server.connectOptions)
  const client = sealedClient(home, connection, namespace)
  const presenceStopped = new AbortController()
  let presenceLoop = Promise.resolve()
  try {
    const file = join(home.dir, 'outpool.yaml')
    const pool = { accounts: [{ name: 'max-1', configDir: home.dir }] }
    const host = new Host(home, parseConfig(stringify({ pool }), file, { HOME: home.dir }))
    const session = await client.workflow.start('session', {
      ...{ workflowId: sessionWorkflowId('docs'), taskQueue: 'nobody', args: [] },
      typedSearchAttributes: [{ key: hostKey, value: 'far' }],
    })
    let laterMs = 0
    const hosts = new SilentHosts(client, host, () => Date.now() + laterMs)
    await until(
      'the session in the list',
      () => client.workflow.count(`${searchAttributes.host} = 'far'`),
      ({ count }) => count === 1,
    )
    // It has just begun to listen.
    expect(await hosts.find()).toBeNull()
    laterMs = 70_000
    expect(await hosts.find()).toEqual([{ host: 'far', since: expect.any(String) as string, sessions: 1 }])
    presenceLoop = giveSignsOfLife(connection, namespace, '1.a@far', presenceStopped.signal)
    // One that has listened for a minute already.
    const ofOther = new SilentHosts(client, host, () => Date.now() + laterMs)
    laterMs = -65_000
    expect(await ofOther.find()).toBeNull()
    laterMs = 0
    await until(
      'its sign of life',
      () => ofOther.find(),
      (silent) => silent?.length === 0,
    )
    presenceStopped.abort()
    await presenceLoop
    laterMs = 200_000
    expect(await ofOther.find()).toMatchObject([{ host: 'far' }])
    await session.terminate()
    await until(
      'the end of its last session',
      () => ofOther.find(),
      (silent) => silent?.length === 0,
    )
  } finally {
    presenceStopped.abort()
    await presenceLoop
    await connection.close()
    await server.stop()
    rmSync(home.dir, { recursive: true, force: true })
  }
})
