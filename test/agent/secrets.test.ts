/** Law 11: a secret stays on its host, and is only in the environment of the agent that needs it. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openHome } from '../../config/state/home.js'
import { readEngine } from '../../config/state/liveFile.js'
import { poolWorkflowId, sessionWorkflowId } from '../../policy/ids.js'
import { historyText } from '../../lab/engine/sealed.js'
import type { Fleet } from '../../lab/fleet.js'
import { startFleet } from '../fleet.js'

let fleet: Fleet
let secret: string

beforeEach(async () => {
  const config: Record<string, Record<string, unknown>> = { keyed: {} }
  fleet = await startFleet({ accounts: ['keyed'], accountConfig: config })
  secret = fleet.world.standIn.account('keyed').apiKey
})
afterEach(() => fleet.close())

/** The account gets its key by reference, as a configuration names it. */
function nameKeyByFile(): void {
  const file = join(fleet.dir, 'key')
  writeFileSync(file, `${secret}\n`, { mode: 0o600 })
  fleet.world.login('keyed', { kind: 'api-key' })
  const config = readFileSync(join(fleet.dir, 'outpool.yaml'), 'utf8')
  const named = config.replace(
    /^( +)- name: keyed$/m,
    `$1- name: keyed\n$1  env: { ANTHROPIC_API_KEY: { fromFile: ${file} } }`,
  )
  expect(named).not.toBe(config)
  writeFileSync(join(fleet.dir, 'outpool.yaml'), named)
}

function* filesUnder(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesUnder(path)
    else if (entry.isFile()) yield path
  }
}

describe('a secret by reference', () => {
  it('law 11: reaches the agent, and no history, log, report, launch file or process list', async () => {
    nameKeyByFile()
    await fleet.up()
    const prompt = 'Say hello to the made-up gardener.'
    await fleet.run('start', 'alpha', '--cwd', fleet.world.cwd, '--', prompt)
    const { sessionId } = await fleet.untilSession('alpha', ({ phase }) => phase === 'idle')
    const [turn] = fleet.world.standIn.requests({ kind: 'turn', sessionId })
    expect(turn).toMatchObject({ account: 'keyed', credential: 'api-key' })
    expect(fleet.world.standIn.requests({ kind: 'turn', sessionId })).toHaveLength(1)
    expect(fleet.processes().length).toBeGreaterThan(1)
    expect(fleet.processes().filter((line) => line.includes(prompt))).toEqual([])

    expect(fleet.processes().filter((line) => line.includes(secret))).toEqual([])
    const { address, namespace } = readEngine(openHome(fleet.env))!
    const connection = await Connection.connect({ address })
    const { workflow } = new Client({ connection, namespace })
    for (const id of [sessionWorkflowId('alpha'), poolWorkflowId('main')]) {
      const history = await workflow.getHandle(id).fetchHistory()
      const payloads = historyText(openHome(fleet.env), history, namespace)
      expect(payloads).toContain(id === sessionWorkflowId('alpha') ? sessionId : 'keyed')
      expect(payloads).not.toContain(secret)
    }
    await connection.close()
    const state = openHome(fleet.env).dir
    for (const file of filesUnder(state)) {
      expect(readFileSync(file).includes(secret), `${file} holds the secret`).toBe(false)
      // What is private to the user is readable for no other user.
      expect(statSync(file).mode & 0o077, file).toBe(0)
    }
    expect(fleet.log()).not.toContain(secret)
  })

  it('law 11: a missing one is named by its reference, and nothing is started', async () => {
    nameKeyByFile()
    writeFileSync(join(fleet.dir, 'key'), '')
    await fleet.up()
    await fleet.run('start', 'alpha', '--cwd', fleet.world.cwd, '--', 'Hello.')
    const parked = await fleet.untilSession(
      'alpha',
      ({ phase, attention }) => phase === 'parked' && attention !== null,
    )
    expect(parked.pid).toBeNull()
    expect(parked.attention).toContain('ANTHROPIC_API_KEY comes from the file')
    expect(parked.attention).not.toContain(secret)
  })
})
