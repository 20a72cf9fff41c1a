/** Commands about accounts and their budgets. */
import { type DeclaredCommand, json } from './commandSpec.js'

export const accounts: readonly DeclaredCommand[] = [
  {
    name: 'accounts',
    description: 'list accounts with their windows and walls, or change those of outpool.yaml',
    args: [
      {
        name: '[what]',
        description: 'add, remove, drain or enable',
        choices: ['add', 'remove', 'drain', 'enable'],
      },
      { name: '[name]', description: 'name of the account', completion: 'account' },
    ],
    options: [
      {
        flags: '--config-dir <dir>',
        description: 'add: its config dir (default: ~/.claude-NAME)',
        completion: 'folder',
      },
      {
        flags: '--ceiling <share>',
        description: 'add: leave the rest of its windows to a person, such as 80%',
      },
      { flags: '--max-sessions <n>', description: 'add: the most sessions at a time' },
      { flags: '--reserved', description: 'add: for the healer, and for no session of the pool' },
      { flags: '--force', description: 'remove: even if it is not empty, or not known to be' },
      json,
    ],
    examples: [
      'outpool accounts add max-3 --ceiling 80%',
      'outpool accounts drain max-1   # its sessions leave it at the end of their turns',
    ],
    run: async (context) =>
      context.args.length === 0
        ? (await import('../commands/accounts.js')).accounts(context)
        : (await import('../commands/editAccounts.js')).editAccounts(context),
  },
  {
    name: 'forecast',
    description: 'say when accounts and pool run out, and what would change that',
    options: [
      {
        flags: '--accounts <difference>',
        description: 'as if there were more accounts, such as +1, or fewer',
      },
      { flags: '--sessions <number>', description: 'as if that many sessions were running' },
      json,
    ],
    examples: ['outpool forecast --accounts +1', 'outpool forecast --sessions 12'],
    run: async (context) => (await import('../commands/forecast.js')).forecast(context),
  },
  {
    name: 'usage',
    description: 'sum up the tokens that sessions of this host have used, and what they would cost',
    options: [
      { flags: '--by <what>', description: 'session (the default), account or day' },
      { flags: '--since <time>', description: 'a duration (default: 7d), or an instant' },
      json,
    ],
    examples: ['outpool usage --by day --since 30d'],
    run: async (context) => (await import('../commands/usage.js')).usage(context),
  },
  {
    name: 'drill',
    description: 'prove that sessions survive a spent pool: a test session falls back, answers and returns',
    options: [
      { flags: '--dry-run', description: 'only print what it would do' },
      { flags: '--json', description: 'print the report as JSON' },
    ],
    run: async (context) => (await import('../commands/drill.js')).drill(context),
  },
]
