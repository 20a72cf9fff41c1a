/** One alteration of the agent program for each expectation that can be altered from outside: each is found out. */
import { appendFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { type Alteration, alterProgram, withoutArgument } from '../../lab/alteredProgram.js'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import { newTestHome } from '../server/testHome.js'

const verdictSchema = z.object({ results: z.array(z.object({ name: z.string(), outcome: z.string() })) })

const withoutHook = (event: string): Alteration => ({ settings: `delete settings.hooks.${event}` })
const renamed = (event: string, field: string): Alteration => ({
  settings: `for (const one of settings.hooks.${event}) for (const hook of one.hooks)
    hook.command = "sed s/${field}/renamed/g | " + hook.command.replace(/^exec /, '')`,
})

it.concurrent.each<[expectation: string, scene: string, what: string, alteration: Alteration]>([
  ['hook-stop', 'conversation', 'a hook is gone', withoutHook('Stop')],
  [
    'limit-menu',
    'conversation',
    'a setting is ignored',
    { settings: 'delete settings.autoContinueAtUsageLimit' },
  ],
  [
    'hook-session-start',
    'conversation',
    'a field of a hook is renamed',
    renamed('SessionStart', 'transcript_path'),
  ],
  ['hook-stop-failure', 'conversation', 'a hook is gone', withoutHook('StopFailure')],
  [
    'hook-permission-request',
    'conversation',
    'a hook is gone',
    {
      settings: 'delete settings.hooks.PermissionRequest; delete settings.hooks.Notification',
    },
  ],
  ['hook-session-end', 'conversation', 'a hook is gone', withoutHook('SessionEnd')],
  ['prompt-report', 'typing', 'a hook is gone', withoutHook('UserPromptSubmit')],
  ['stop-body', 'work', 'a field of a hook is renamed', renamed('Stop', 'background_tasks')],
  [
    'status-line-limits',
    'conversation',
    'there is no status line',
    { settings: 'delete settings.statusLine' },
  ],
  [
    'conversation-id',
    'conversation',
    'an argument is ignored',
    { before: withoutArgument('--session-id', true) },
  ],
  [
    'resume-after-copy',
    'conversation',
    'an argument is ignored',
    { before: withoutArgument('--resume', true) },
  ],
  [
    'config-dir',
    'conversation',
    'the login is that of another folder',
    {
      before:
        'if [ -n "$CLAUDE_CONFIG_DIR" ]; then export CLAUDE_CONFIG_DIR="${CLAUDE_CONFIG_DIR%/*}/second"; fi',
    },
  ],
  [
    'transcript-file',
    'conversation',
    'no transcript is written',
    { before: 'export CLAUDE_CODE_CHILD_SESSION=1' },
  ],
  [
    'first-run-keys',
    'conversation',
    'the first-run pages open',
    {
      before: 'sed -i s/hasCompletedOnboarding/renamed/ "$CLAUDE_CONFIG_DIR/.claude.json"',
    },
  ],
  ['term-ends', 'conversation', 'TERM is ignored', { before: "trap '' TERM", isChild: true }],
  ['draft-to-editor', 'typing', 'another editor is opened', { before: 'export VISUAL=true' }],
])('%s: %s: %s', { timeout: 1_800_000 }, async (expectation, scene, _what, alteration) => {
  const place = newTestHome()
  try {
    const program = alterProgram(place.dir, agentProgram, alteration)
    appendFileSync(place.config, `agents: { claude-code: { command: ${program} } }\n`)
    const { code, stdout } = await place.run(['rehearse', '--json', '--only', scene])
    const { results } = verdictSchema.parse(JSON.parse(stdout))
    expect(results.find(({ name }) => name === expectation)?.outcome).toBe('broken')
    expect(code).toBe(1)
  } finally {
    place.remove()
  }
})
