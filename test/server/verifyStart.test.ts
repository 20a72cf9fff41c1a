/** What a person is told about an agent that does not come up. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, it } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'
import { LaunchFailedError } from '../../activities/errors.js'
import { untilUp } from '../../activities/session/verifyStart.js'
import type { Host } from '../../host/host.js'
import { eachWithHost } from './eachWithHost.js'

const place = { kind: 'account' as const, name: 'max-1' }

let dir: string
let host: Host

eachWithHost(
  (...made) => ([host, dir] = made),
  (folder) => {
    const program = join(folder, 'agent')
    writeFileSync(program, '#!/bin/sh\nexit 0\n')
    chmodSync(program, 0o755)
    return `agents: { claude-code: { command: ${program} } }`
  },
)

const startOf = async (...argv: string[]): Promise<unknown> => {
  await host.tmux.spawn({ session: 's', fence: 1, cwd: dir, argv, status: '' })
  const request = { session: 's', fence: 1, agent: 'claude-code', sessionId: 'c', cwd: dir, place }
  return new MockActivityEnvironment()
    .run(async () =>
      untilUp(host, claudeCode, await host.place(place), {
        ...request,
        ...{ mode: 'new', prompt: null, model: null, status: '' },
      }),
    )
    .catch((error: unknown) => error)
}

// It asks the terminal a question first: tmux may lose the output of a program that ends at once.
const complaint =
  'stty -icanon -echo; printf "no licence\\n\\033[6n"; dd bs=1 count=1 >/dev/null 2>&1; exit 7'

it('an agent that ends at its start is reported with its exit code and its last words', async () => {
  const failure = await startOf('/bin/sh', '-c', complaint)
  expect(failure).toBeInstanceOf(LaunchFailedError)
  expect(String(failure)).toContain('ended at its start with exit code 7; it showed: no licence')
})

it('an agent that a signal ends at its start is reported with the signal, even if it said nothing', async () => {
  const failure = await startOf('/bin/sh', '-c', 'kill -9 $$')
  expect(String(failure)).toContain('ended at its start with signal 9; it showed: nothing')
})
