/** The messages between commands, workers and workflows: what the compiler refuses, and that each name is given once. */
import type { WorkflowHandle } from '@temporalio/client'
import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  escalationQueries,
  escalationSignals,
  poolQueries,
  poolSignals,
  poolUpdates,
  sessionQueries,
  sessionSignals,
  sessionUpdates,
  watchdogQueries,
  watchdogSignals,
  watchdogUpdates,
} from '../../workflows/messages.js'

/** Never called. `tsc` checks this function: it fails on each expected error that does not occur. */
async function wrongMessages(handle: WorkflowHandle, names: (keyof typeof sessionSignals)[]): Promise<void> {
  await handle.signal(sessionSignals.send, { id: '1', text: 'hello' })
  // @ts-expect-error the text of a send is missing
  await handle.signal(sessionSignals.send, { id: '1' })
  // @ts-expect-error a send takes an object
  await handle.signal(sessionSignals.send, 'hello')
  // @ts-expect-error `cause` is one of a few words
  await handle.signal(sessionSignals.move, { to: null, cause: 'whim' })
  // @ts-expect-error a pause takes no payload
  await handle.signal(sessionSignals.pause, 'now')
  // @ts-expect-error sessions have no such signal
  names.push('sleep')
  // @ts-expect-error a release names its fence
  await handle.signal(poolSignals.releaseLease, { session: 'one', failure: null })
  // @ts-expect-error the id of a text is a string
  await handle.query(sessionQueries.deliveryState, 1)
  const { taken } = await handle.query(sessionQueries.deliveryState, '1')
  // @ts-expect-error whether a text was taken is a boolean
  names.push(taken)
  await handle.executeUpdate(sessionUpdates.answer, { args: [{ answer: '1', digest: null }] })
  // @ts-expect-error an answer names its question, or null
  await handle.executeUpdate(sessionUpdates.answer, { args: [{ answer: '1' }] })
  // @ts-expect-error a signal is no query
  await handle.query(sessionSignals.pause)
}

expectTypeOf(wrongMessages).returns.resolves.toBeVoid()

describe('a message', () => {
  it.each([
    ['session', [sessionSignals, sessionQueries, sessionUpdates]],
    ['pool', [poolSignals, poolQueries, poolUpdates]],
    ['watchdog', [watchdogSignals, watchdogQueries, watchdogUpdates]],
    ['escalation', [escalationSignals, escalationQueries]],
  ] as const)('of a %s has the name of its key, and no other has it', (_, kinds) => {
    const messages = kinds.flatMap((kind) => Object.entries<{ name: string }>(kind))
    const names = messages.map(([, { name }]) => name)
    expect(names).toEqual(messages.map(([key]) => key))
    expect(new Set(names).size).toBe(names.length)
  })
})
