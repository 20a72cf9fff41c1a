/**
 * Words that people type from habit and that are not in `--help`. One that can only mean one command runs it; for the others, one
 * sentence names the right command, and the exit code is 2.
 */
import type { CommandContext } from '../commandContext.js'
import { print, printNotice } from '../commandContext.js'
import type { CommandSpec } from './commandSpec.js'

/** As commands that `--help` does not list. */
export const aliases = (commands: readonly CommandSpec[]): CommandSpec[] => {
  const [ls, show] = ['ls', 'show'].map((name) => commands.find((one) => one.name === name))
  if (ls === undefined || show === undefined) return []
  return [
    ...['list', 'ps'].map((name) => ({ ...ls, name })),
    {
      ...ls,
      name: 'status',
      args: [{ name: '[name]', description: 'name of a session' }],
      run: async (context) => {
        if (context.args.length > 0) return show.run(context)
        await headline(context)
        return ls.run(context)
      },
    },
  ]
}

/** What runs, in a line; nothing in JSON, which is that of `ls`. */
async function headline(context: CommandContext): Promise<void> {
  if (context.json) return
  const [{ readRunningHolder }, { openHome }, { readEngine }] = await Promise.all([
    import('../../config/state/workerLock.js'),
    import('../../config/state/home.js'),
    import('../../config/state/liveFile.js'),
  ])
  const home = openHome()
  const running = readRunningHolder()
  if (running === null) print(`outpool is not running for ${home.dir}; start it with: outpool up`)
  else {
    const engine = readEngine(home)
    const at = engine === null ? '' : `, engine at ${engine.address}`
    print(`outpool ${running.version ?? ''} is running (process ${running.pid}${at})`)
  }
  printNotice('`outpool ls` lists the sessions; `outpool doctor` checks everything')
}

interface OtherWord {
  word: string
  /** What to type instead. `name` is the session that was named, or NAME. */
  instead: (name: string) => string
}

const remove = (name: string): string =>
  `to end a session: outpool stop ${name}; to take an ended one off the list: outpool forget ${name}; for an account: outpool accounts remove NAME`

/** Words that could mean several things, or something that should not happen by guessing. */
export const otherWords: readonly OtherWord[] = [
  {
    word: 'kill',
    instead: (name) =>
      `to end a session: outpool stop ${name}; to end only its process for now: outpool pause ${name}; to end Outpool itself: outpool down`,
  },
  { word: 'remove', instead: remove },
  { word: 'rm', instead: remove },
  {
    word: 'logs',
    instead: (name) =>
      name === 'NAME'
        ? 'to follow what happens: outpool events --follow; to see what an agent says: outpool attach NAME'
        : `to follow what happens to it: outpool events --follow --session ${name}; to see what the agent says: outpool attach ${name}`,
  },
  {
    word: 'restart',
    instead: (name) =>
      `for a session: outpool pause ${name}, then outpool resume ${name}; for a service: outpool services --restart ${name}; for Outpool itself: outpool up --replace`,
  },
]
