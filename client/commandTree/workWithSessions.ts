/** Commands that start sessions, show them and talk with their agents. */
import { type DeclaredCommand, json, session } from './commandSpec.js'

export const workWithSessions: readonly DeclaredCommand[] = [
  {
    name: 'start',
    description: 'start a session',
    args: [
      { name: '<name>', description: 'name of the new session' },
      { name: '[prompt...]', description: 'the first message, after --' },
    ],
    options: [
      {
        flags: '--cwd <dir>',
        description: 'folder to work in (default: the current one)',
        completion: 'folder',
      },
      { flags: '--account <name>', description: 'preferred account', completion: 'account' },
      { flags: '--pin', description: 'use only this account, and wait for it if need be' },
      { flags: '--agent <name>', description: 'agent program (default: claude-code)', completion: 'agent' },
      { flags: '--model <name>', description: 'model for the agent' },
      {
        flags: '--models <names>',
        description: 'models in order, such as opus,sonnet: the next one if no account can run the first',
      },
      {
        flags: '--fallback <names>',
        description: 'substrates to use in order when the pool is dry, or none (default: all)',
      },
      {
        flags: '--priority <number>',
        description: 'sessions with a lower number go first when accounts are short (default: 0)',
      },
      { flags: '--json', description: 'print the session as JSON' },
    ],
    examples: ['outpool start docs --cwd ~/docs -- "Bring the guide up to date"'],
    run: async (context) => (await import('../commands/start.js')).start(context),
  },
  {
    name: 'adopt',
    description: 'list agents that you started yourself, or take them over with their whole conversation',
    args: [{ name: '[what...]', description: 'panes (%3, main:1.0), processes or conversations' }],
    options: [
      { flags: '--name <name>', description: 'name of the session (default: that of its folder)' },
      { flags: '--all', description: 'every agent that can be adopted' },
      {
        flags: '--under <dir>',
        description: 'every agent that works in this folder or below',
        completion: 'folder',
      },
      { flags: '--now', description: 'interrupt a turn instead of waiting for its end' },
      { flags: '--yes', description: 'accept the loss of what does not carry over' },
      json,
    ],
    examples: ['outpool adopt', 'outpool adopt %3 --name docs', 'outpool adopt --under ~/work'],
    run: async (context) => (await import('../commands/adopt.js')).adopt(context),
  },
  {
    name: 'ls',
    description: 'list sessions',
    options: [{ flags: '--all', description: 'include sessions that stopped more than a day ago' }, json],
    run: async (context) => (await import('../commands/ls.js')).ls(context),
  },
  {
    name: 'top',
    description: 'watch the whole fleet on one screen, and give orders by keys (? lists them)',
    options: [{ flags: '--no-color', description: 'draw without colours, as with NO_COLOR' }],
    run: async (context) => (await import('../commands/top.js')).top(context),
  },
  {
    name: 'events',
    description: 'list what happened on this host: moves, walls, tasks, services',
    withoutConfig: true,
    options: [
      { flags: '--follow', description: 'go on as events come, even while the worker restarts' },
      { flags: '--since <time>', description: 'only newer ones: 2h, or an instant' },
      { flags: '--session <name>', description: 'only about this session', completion: 'session' },
      { flags: '--account <name>', description: 'only about this account', completion: 'account' },
      { flags: '--kind <kind>', description: 'only of this kind, such as session-moved' },
      { flags: '--json', description: 'print one JSON object a line' },
    ],
    examples: ['outpool events --follow', 'outpool events --since 12h --kind session-moved --json'],
    run: async (context) => (await import('../commands/events.js')).events(context),
  },
  {
    name: 'report',
    description: 'sum up what happened on this host, and what waits for a person now',
    withoutConfig: true,
    options: [
      { flags: '--since <time>', description: 'a duration (default: 24h), or an instant' },
      { flags: '--html <file>', description: 'write it as one page for a browser', completion: 'file' },
      { flags: '--json', description: 'print JSON' },
    ],
    run: async (context) => (await import('../commands/report.js')).report(context),
  },
  {
    name: 'show',
    description: 'show everything about one session, with its rescue log',
    args: [session],
    options: [json],
    run: async (context) => (await import('../commands/show.js')).show(context),
  },
  {
    name: 'attach',
    description: "open the session's pane in this terminal",
    args: [session],
    options: [
      {
        flags: '--window',
        description: 'in a new window of the tmux around this terminal, or in the one that shows it',
      },
    ],
    run: async (context) => (await import('../commands/attach.js')).attach(context),
  },
  {
    name: 'send',
    description: 'send a text to the agent; it arrives once and in order, even during a rescue',
    args: [session, { name: '[text...]', description: 'the text, or - to read it from stdin' }],
    options: [
      { flags: '--wait', description: 'wait for the answer, and print it' },
      { flags: '--taken', description: 'return when the agent has taken the text, or finished the command' },
      { flags: '--command', description: "run one of the agent's own commands, such as /compact" },
      { flags: '--file <path>', description: 'read the text from a file' },
    ],
    examples: [
      'outpool send docs "Also mention the flags"',
      'git diff | outpool send review -',
      'outpool send docs --command /compact',
    ],
    run: async (context) => (await import('../commands/send.js')).send(context),
  },
  {
    name: 'wait',
    description: 'wait until the session is idle, or for its next answer',
    args: [session],
    options: [
      { flags: '--idle', description: 'until its turn is over and no text waits (the default)' },
      { flags: '--answer', description: 'until its next answer, and print it' },
      { flags: '--timeout <duration>', description: 'fail after this time, such as 10m' },
    ],
    run: async (context) => (await import('../commands/wait.js')).wait(context),
  },
  {
    name: 'answer',
    description: 'answer the question that the agent asks now, with the number of a choice or with words',
    args: [session, { name: '<answer...>', description: 'number of a choice (1,3 for several), or words' }],
    options: [
      {
        flags: '--question <digest>',
        description: 'answer only if the agent still asks this question (digest from show --json)',
      },
      { flags: '--json', description: 'print the result as JSON' },
    ],
    examples: ['outpool answer docs 2', 'outpool answer docs "neither: make it grey"'],
    run: async (context) => (await import('../commands/answer.js')).answer(context),
  },
]
