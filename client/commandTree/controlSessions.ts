/** Commands that move, stop and end sessions. */
import { type DeclaredCommand, session } from './commandSpec.js'

export const controlSessions: readonly DeclaredCommand[] = [
  {
    name: 'rescue',
    description: 'treat the session as walled: move it to the best account now',
    args: [session],
    run: async (context) => (await import('../commands/move.js')).rescue(context),
  },
  {
    name: 'move',
    description: 'move the session to an account',
    args: [session],
    options: [{ flags: '--to <account>', description: 'the account to move to', completion: 'account' }],
    run: async (context) => (await import('../commands/move.js')).move(context),
  },
  {
    name: 'pause',
    description: 'stop the process and keep the session',
    args: [session],
    run: async (context) => (await import('../commands/phase.js')).pause(context),
  },
  {
    name: 'resume',
    description: 'continue a paused or stopped session',
    args: [session],
    run: async (context) => (await import('../commands/phase.js')).resume(context),
  },
  {
    name: 'stop',
    description: 'end the session; its conversation is kept',
    args: [{ ...session, name: '[name]' }],
    options: [
      { flags: '--all', description: 'every session, after asking' },
      { flags: '--yes', description: 'with --all: do not ask' },
    ],
    run: async (context) => (await import('../commands/phase.js')).stop(context),
  },
  {
    name: 'forget',
    description: 'take an ended session off the list; its conversation is kept, and its name is free',
    args: [{ ...session, name: '[name]' }],
    options: [
      { flags: '--ended', description: 'every session that has ended' },
      { flags: '--json', description: 'print what was forgotten as JSON' },
    ],
    run: async (context) => (await import('../commands/forget.js')).forget(context),
  },
  {
    name: 'release',
    description: 'give the session back to you: its process goes on in its pane, without Outpool',
    args: [session],
    options: [{ flags: '--json', description: 'print the result as JSON' }],
    run: async (context) => (await import('../commands/release.js')).release(context),
  },
]
