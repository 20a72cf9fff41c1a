/** Every command with its arguments and options: what help, parsing and completion are made from. Bodies load when called. */
import type { Call } from './commandContext.js'

/** What completes a word: names of sessions, services, tasks, accounts, files by the shell, or nothing. */
export type Completes = 'session' | 'service' | 'task' | 'account' | 'agent' | 'folder' | 'file' | 'none'

export interface OptionSpec {
  /** As commander reads it: `--cwd <dir>`. */
  flags: string
  says: string
  completes?: Completes
}

export interface ArgumentSpec {
  /** As commander reads it: `<name>`, `[text...]`. */
  name: string
  says: string
  completes?: Completes
  choices?: readonly string[]
}

export interface CommandSpec {
  name: string
  says: string
  args?: readonly ArgumentSpec[]
  options?: readonly OptionSpec[]
  /** Needs no outpool.yaml, or says itself what is wrong with it: for all others one that is named has to be there. */
  withoutConfig?: true
  /** Shown under the help. */
  examples?: readonly string[]
  run(call: Call): Promise<void>
}

const json: OptionSpec = { flags: '--json', says: 'print JSON instead of a table' }
const session: ArgumentSpec = { name: '<name>', says: 'name of the session', completes: 'session' }

/** Options that every command takes. */
export const everywhere: readonly OptionSpec[] = [
  { flags: '--config <file>', says: 'the outpool.yaml to use', completes: 'file' },
  { flags: '--debug', says: 'show the whole story of a failure' },
]

const hostProgram = (program: 'up' | 'worker' | 'doctor') => async (call: Call) => {
  const { runHostProgram } = await import('./commands/hostPrograms.js')
  await runHostProgram(program, call)
}

export const commandTree: readonly CommandSpec[] = [
  {
    name: 'init',
    says: 'find Claude config dirs and write an outpool.yaml',
    withoutConfig: true,
    run: async (call) => (await import('./commands/init.js')).init(call),
  },
  {
    name: 'up',
    says: 'run engine and worker in the foreground',
    run: hostProgram('up'),
  },
  {
    name: 'start',
    says: 'start a session',
    args: [
      { name: '<name>', says: 'name of the new session' },
      { name: '[prompt...]', says: 'the first message, after --' },
    ],
    options: [
      { flags: '--cwd <dir>', says: 'folder to work in (default: this one)', completes: 'folder' },
      { flags: '--account <name>', says: 'first choice among the accounts', completes: 'account' },
      { flags: '--pin', says: 'take no other account: wait for this one' },
      { flags: '--agent <name>', says: 'agent program (default: claude-code)', completes: 'agent' },
      { flags: '--model <name>', says: 'model for the agent' },
      {
        flags: '--models <names>',
        says: 'models in order, as opus,sonnet: the next where no account has the first',
      },
      {
        flags: '--fallback <names>',
        says: 'substrates in order for when the pool is dry, or none (default: all)',
      },
      { flags: '--priority <number>', says: 'lower ones go first where not all can be served (default: 0)' },
      { flags: '--json', says: 'print the session as JSON' },
    ],
    examples: ['outpool start docs --cwd ~/docs -- "Bring the guide up to date"'],
    run: async (call) => (await import('./commands/start.js')).start(call),
  },
  {
    name: 'ls',
    says: 'list sessions',
    options: [{ flags: '--all', says: 'also those that stopped longer than a day ago' }, json],
    run: async (call) => (await import('./commands/ls.js')).ls(call),
  },
  {
    name: 'top',
    says: 'the whole fleet on one screen, kept fresh',
    run: async (call) => (await import('./commands/top.js')).top(call),
  },
  {
    name: 'show',
    says: 'everything about one session, with the story of its rescues',
    args: [session],
    options: [json],
    run: async (call) => (await import('./commands/show.js')).show(call),
  },
  {
    name: 'attach',
    says: "open the session's pane in this terminal",
    args: [session],
    run: async (call) => (await import('./commands/attach.js')).attach(call),
  },
  {
    name: 'send',
    says: 'send a text to the agent: it arrives once, in order, also during a rescue',
    args: [session, { name: '[text...]', says: 'the text, or - to read it from stdin' }],
    options: [
      { flags: '--wait', says: 'return when the agent has taken it; a command, when it is over' },
      { flags: '--command', says: "run one of the agent's own commands, such as /compact" },
      { flags: '--file <path>', says: 'read the text from a file' },
    ],
    examples: [
      'outpool send docs "Also mention the flags"',
      'git diff | outpool send review -',
      'outpool send docs --command /compact',
    ],
    run: async (call) => (await import('./commands/send.js')).send(call),
  },
  {
    name: 'answer',
    says: 'answer what the agent asks: a choice by its number, or words; once, and only the question that stands',
    args: [session, { name: '<answer...>', says: 'number of a choice (1,3 for several), or words' }],
    options: [
      { flags: '--question <digest>', says: 'only this question, as show --json names it' },
      { flags: '--json', says: 'print the result as JSON' },
    ],
    examples: ['outpool answer docs 2', 'outpool answer docs "neither: make it grey"'],
    run: async (call) => (await import('./commands/answer.js')).answer(call),
  },
  {
    name: 'rescue',
    says: 'treat the session as walled: move it to the best account now',
    args: [session],
    run: async (call) => (await import('./commands/move.js')).rescue(call),
  },
  {
    name: 'move',
    says: 'move the session to an account',
    args: [session],
    options: [{ flags: '--to <account>', says: 'where to', completes: 'account' }],
    run: async (call) => (await import('./commands/move.js')).move(call),
  },
  {
    name: 'pause',
    says: 'stop the process and keep the session',
    args: [session],
    run: async (call) => (await import('./commands/phase.js')).pause(call),
  },
  {
    name: 'resume',
    says: 'go on with a paused or stopped session',
    args: [session],
    run: async (call) => (await import('./commands/phase.js')).resume(call),
  },
  {
    name: 'stop',
    says: 'end the session; its conversation is kept',
    args: [session],
    run: async (call) => (await import('./commands/phase.js')).stop(call),
  },
  {
    name: 'accounts',
    says: 'list accounts with their windows and walls',
    options: [json],
    run: async (call) => (await import('./commands/accounts.js')).accounts(call),
  },
  {
    name: 'services',
    says: 'list guarded services',
    options: [
      { flags: '--pause <name>', says: 'look on, and leave this one alone', completes: 'service' },
      { flags: '--resume <name>', says: 'guard it again', completes: 'service' },
      json,
    ],
    run: async (call) => (await import('./commands/services.js')).services(call),
  },
  {
    name: 'check',
    says: 'look at a service now; ends with 0 where it is well or busy',
    args: [{ name: '<service>', says: 'name of the service', completes: 'service' }],
    options: [json],
    run: async (call) => (await import('./commands/check.js')).check(call),
  },
  {
    name: 'beat',
    says: 'write the heartbeat of a service, from inside it',
    args: [{ name: '<service>', says: 'name of the service', completes: 'service' }],
    options: [
      { flags: '--doing <text>', says: 'what it is at, in a few words' },
      { flags: '--pid <pid>', says: 'its process (default: what runs this command)' },
    ],
    run: async (call) => (await import('./commands/beat.js')).beat(call),
  },
  {
    name: 'incidents',
    says: 'list incidents of services, or show the report of one',
    args: [
      { name: '[what]', says: 'show, for one of them', choices: ['show'] },
      { name: '[n]', says: 'number of the incident' },
    ],
    options: [json],
    examples: ['outpool incidents show 3'],
    run: async (call) => (await import('./commands/incidents.js')).incidents(call),
  },
  {
    name: 'tasks',
    says: 'list the tasks of the loop, and how their newest runs ended',
    options: [
      { flags: '--pause <task>', says: 'run it no more by itself', completes: 'task' },
      { flags: '--resume <task>', says: 'run it again when it is due', completes: 'task' },
      json,
    ],
    run: async (call) => (await import('./commands/tasks.js')).tasks(call),
  },
  {
    name: 'run',
    says: 'run a task now and wait for its end',
    args: [{ name: '<task>', says: 'name of the task', completes: 'task' }],
    options: [{ flags: '--detach', says: 'do not wait' }],
    run: async (call) => (await import('./commands/run.js')).run(call),
  },
  {
    name: 'worker',
    says: 'run a worker only, against a running engine',
    run: hostProgram('worker'),
  },
  {
    name: 'service',
    says: 'run engine and worker under systemd',
    args: [
      { name: '<what>', says: 'install, uninstall or status', choices: ['install', 'uninstall', 'status'] },
    ],
    options: [
      { flags: '--user', says: 'a service of yours (the default)' },
      { flags: '--system', says: "one of the machine's, which runs as you; needs root to write" },
      { flags: '--print', says: 'only show the unit that install would write' },
    ],
    run: async (call) => (await import('./commands/service.js')).service(call),
  },
  {
    name: 'doctor',
    says: 'check everything that Outpool needs, with a remedy for each fault',
    withoutConfig: true,
    options: [
      {
        flags: '--domains',
        says: 'instead: what the healer needs beside what it heals, and what they share',
      },
      { flags: '--mermaid', says: 'that as a Mermaid picture' },
      json,
    ],
    run: hostProgram('doctor'),
  },
  {
    name: 'drill',
    says: 'prove that sessions outlive a spent pool: one of its own falls back, answers and comes home',
    options: [
      { flags: '--dry-run', says: 'only say what it would do' },
      { flags: '--json', says: 'print the report as JSON' },
    ],
    run: async (call) => (await import('./commands/drill.js')).drill(call),
  },
  {
    name: 'completion',
    says: 'print completion for a shell',
    withoutConfig: true,
    args: [{ name: '<shell>', says: 'bash, zsh or fish', choices: ['bash', 'zsh', 'fish'] }],
    examples: [
      'source <(outpool completion bash)',
      'outpool completion fish > ~/.config/fish/completions/outpool.fish',
    ],
    run: async (call) => (await import('./commands/completion.js')).completion(call),
  },
]
