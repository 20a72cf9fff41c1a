/** Everything that this adapter expects of Claude Code. `outpool rehearse` checks it on the installed version. */
import type { Expectation } from '../adapter/expectation.js'

const starts: readonly Expectation[] = [
  {
    name: 'conversation-id',
    statement: '--session-id gives a new conversation its id, and --resume keeps it',
    consequence: 'no session can be started, nor moved: each waits for its account',
    isEssential: true,
    feature: 'moves',
  },
  {
    name: 'config-dir',
    statement: 'CLAUDE_CONFIG_DIR holds the login, the settings and the conversations',
    consequence: 'a session would run under another login than the one that was leased',
    isEssential: true,
    feature: 'moves',
  },
  {
    name: 'first-run-keys',
    statement: 'the keys that Outpool writes to .claude.json skip every first-run page',
    consequence: 'each start opens a page, and no account counts as able to start',
    isEssential: true,
  },
  {
    name: 'trust-page',
    statement: 'a folder that is not trusted opens a page, on which a choice "Yes" trusts it',
    consequence: 'the page is left to a person',
  },
  {
    name: 'start-page-without-state',
    statement: 'there is no sessions/<pid>.json while a page is open at the start',
    consequence: 'an account on which a page is open counts as able to start',
  },
  {
    name: 'settings-warning-continue',
    statement: '"Settings Warning" has a choice "Continue" that decides nothing',
    consequence: 'the page is left to a person, and another account is taken',
  },
  {
    name: 'imports-answer',
    statement: 'the answer about imported files is stored under the repository root in .claude.json',
    consequence: 'the page opens again on each account',
  },
  {
    name: 'mcp-answer-by-settings',
    statement: 'answers about MCP servers of a project are honoured in --settings',
    consequence: 'the page opens again on each account',
  },
  {
    name: 'doctor-lists-settings',
    statement: '`claude doctor` names the files and keys of invalid settings, and spends nothing',
    consequence: 'outpool doctor reports no invalid settings',
  },
]

const conversations: readonly Expectation[] = [
  {
    name: 'transcript-file',
    statement: 'a conversation is one file, projects/<folder>/<id>.jsonl, in the config dir',
    consequence: 'sessions cannot be moved: at a wall they are parked',
    isEssential: true,
    feature: 'moves',
  },
  {
    name: 'transcript-entries',
    statement: 'prompts and answers are entries of the types user and assistant',
    consequence: 'no text is known to be taken, and no wall is recognised',
    isEssential: true,
  },
  {
    name: 'resume-after-copy',
    statement: 'a copy of the transcript is enough to resume under another login, with every earlier message',
    consequence: 'sessions cannot be moved: at a wall they are parked',
    isEssential: true,
    feature: 'moves',
  },
  {
    name: 'fork',
    statement: '--fork-session with --session-id continues on a copy, and leaves the original as it is',
    consequence: 'no session falls back to a substrate',
    feature: 'fallbacks',
  },
  {
    name: 'term-ends',
    statement: 'TERM ends the program within ten seconds, and removes its live state',
    consequence: 'each move takes as long as stopGrace allows, and then kills the program',
  },
]

const reports: readonly Expectation[] = [
  {
    name: 'live-state',
    statement: 'sessions/<pid>.json names the conversation, and whether it is busy or idle',
    consequence: 'sessions count as starting: nothing is delivered, and no planned move is made',
    isEssential: true,
  },
  {
    name: 'live-state-waiting',
    statement: 'an open dialog is the live state `waiting`',
    consequence: 'a session that waits for a person is taken for idle',
  },
  {
    name: 'hook-session-start',
    statement: 'the hook SessionStart names the conversation, its transcript and its source',
    consequence: 'another conversation that a person begins in a pane is noticed late',
  },
  {
    name: 'hook-stop',
    statement: 'the hook Stop runs at the end of a turn',
    consequence: 'the end of a turn is noticed up to ten seconds later',
  },
  {
    name: 'hook-stop-failure',
    statement: 'the hook StopFailure runs when the API refuses a turn, and names a cause',
    consequence: 'walls are noticed at the next look at the host: slower',
  },
  {
    name: 'hook-permission-request',
    statement: 'the hook PermissionRequest runs when a tool waits for a permission',
    consequence: 'a waiting permission is noticed at the next look at the host: slower',
  },
  {
    name: 'hook-session-end',
    statement: 'the hook SessionEnd runs when the program ends, with a reason',
    consequence: 'a session whose agent a person has ended is restarted',
  },
  {
    name: 'status-line-limits',
    statement: 'the status line gets rate_limits with the share used and the reset of each window',
    consequence: 'accounts in use are read by probes alone: sessions move later, often at the wall',
    feature: 'status-line',
  },
  {
    name: 'usage-output',
    statement: '`claude -p /usage` leaves the windows of an idle account, and spends nothing',
    consequence: 'idle accounts stay unproven, and take one session at a time',
  },
  {
    name: 'auth-status',
    statement: '`claude auth status` says whether there is a login',
    consequence: 'a lost login is noticed only when a turn fails',
  },
]

const walls: readonly Expectation[] = [
  {
    name: 'wall-entry',
    statement:
      'the wall of an account leaves an entry with apiError usage_limit_reached, or with rejected quotaLimits',
    consequence: 'walls are found by their text alone: without a certain reset, and not in every language',
  },
  {
    name: 'wall-kinds',
    statement: 'the entry names the kind of the limit, its reset, and the model that it binds',
    consequence: 'a wall of one model closes the account for all',
  },
  {
    name: 'transient-entry',
    statement: 'an overload or a throttle leaves an entry that is no wall',
    consequence: 'sessions leave accounts that have room',
  },
  {
    name: 'login-entry',
    statement: 'a refused login leaves an entry with authentication_failed',
    consequence: 'a lost login is taken for trouble that passes',
  },
  {
    name: 'other-failures',
    statement: 'a spent credit, an unknown model and a full context leave entries of their own',
    consequence: 'such a session is retried in vain, or waits for the wrong remedy',
  },
  {
    name: 'limit-menu',
    statement: 'with autoContinueAtUsageLimit off a wall opens a menu, which Escape closes',
    consequence: 'texts are lost in the menu, or an old process goes on beside the new one',
  },
  {
    name: 'reset-text',
    statement: 'a wall names its reset in words, in 12 or 24 hours, with its zone',
    consequence: 'a wall that is known by its text alone has no reset, and is doubted after half an hour',
  },
]

const texts: readonly Expectation[] = [
  {
    name: 'draft-on-screen',
    statement: 'the input line is drawn between two rules, behind ❯',
    consequence: 'texts are typed into the draft of a person, or not at all',
    isEssential: true,
    feature: 'input-line',
  },
  {
    name: 'draft-scrolls',
    statement: 'the edges of an input line that can not show its whole draft name the lines above and below',
    consequence: 'a long draft is lost when its session is moved',
  },
  {
    name: 'draft-behind-history',
    statement: 'the upper edge says when an earlier prompt is shown, and Down brings the draft back',
    consequence: 'a draft is lost when its session is moved while an earlier prompt is shown',
  },
  {
    name: 'paste-envelope',
    statement:
      'a paste of four line breaks, or of about 800 characters, is written to the transcript inside <pasted_content>',
    consequence: 'a queued text that is carried to the next process keeps the tags around it',
  },
  {
    name: 'human-origin',
    statement: 'a prompt of a person has no origin, or the origin `human`',
    consequence: 'texts are known to be taken by the report of the hook alone',
  },
  {
    name: 'prompt-report',
    statement: 'UserPromptSubmit runs when a prompt is submitted, and when one is queued',
    consequence:
      'a text that the program rewrites in a new way is typed a second time, and then waits for a person',
  },
  {
    name: 'pasted-block-is-words',
    statement: 'nothing in a paste of four line breaks is run as a command, nor ends the program',
    consequence: 'a text that begins with / or is the word exit is run',
  },
  {
    name: 'blank-before-bang',
    statement: 'a blank before ! keeps a text from being run as a shell command',
    consequence: 'a text that begins with ! is run in a shell',
  },
  {
    name: 'unknown-command-row',
    statement: 'a command that the program does not know leaves an informational entry that names it',
    consequence: 'outpool send --command waits for a person instead of being reported to the sender',
  },
  {
    name: 'command-row',
    statement: 'a command of the program leaves an entry with its name, or the mark of a compaction',
    consequence: 'outpool send --command is typed twice at most, and then waits for a person',
  },
  {
    name: 'panel-escape',
    statement: 'a panel that a command opens is drawn below a line of ▔, and Escape closes it',
    consequence: 'outpool send --command /status holds back later texts until a person closes the panel',
  },
  {
    name: 'hook-refusal-row',
    statement: 'a prompt that a hook refuses leaves an informational entry that says so, and no other',
    consequence: 'such a text is submitted four times, and then waits for a person',
  },
  {
    name: 'hook-stop-row',
    statement: 'a turn that a hook on tools stops leaves an attachment that names the event and the reason',
    consequence: 'after a restart the agent is told to go on, although a hook has stopped it',
  },
  {
    name: 'stash-key',
    statement:
      'Ctrl-S stashes the whole draft, shows that above the input line, and restores it after the next prompt',
    consequence: 'texts wait while there is a draft in the input line',
    feature: 'stash',
  },
  {
    name: 'draft-to-editor',
    statement: 'Ctrl-G gives the whole draft, long pastes included, to $VISUAL',
    consequence: 'a draft goes to the next process as the screen shows it',
    feature: 'editor',
  },
  {
    name: 'queue-rows',
    statement: 'texts that wait are enqueued and dequeued in queue-operation entries, in order',
    consequence: 'what a person sent to a working agent is lost with its process',
  },
  {
    name: 'launch-prompt-rewritten',
    statement: 'a prompt on the command line is submitted at once, without its invisible characters',
    consequence: 'a start takes up to ten seconds longer',
  },
]

const work: readonly Expectation[] = [
  {
    name: 'stop-body',
    statement: 'the Stop hook carries background_tasks and session_crons',
    consequence: 'tasks and plans are seen only in the transcript, at a move',
  },
  {
    name: 'shell-status',
    statement: 'the live state `shell` is rest with a shell in the background',
    consequence: 'a planned move ends that shell',
  },
  {
    name: 'task-rows',
    statement: 'backgroundTaskId begins a task in the transcript, and <task-notification> ends it',
    consequence: 'the next process is not told what a wall cut off',
  },
  {
    name: 'cron-restored',
    statement: '--resume restores recurring plans, but no one-shot wake-up',
    consequence: 'a planned prompt is sent twice, or is lost',
  },
  {
    name: 'subagent-files',
    statement: 'the file of a subagent beside the transcript is enough to continue it',
    consequence: 'a subagent that was announced as resumable cannot be continued',
  },
  {
    name: 'question-page',
    statement:
      'a question is a page with tabs, a numbered list, a rule and a last choice, and its number chooses',
    consequence: 'a question is shown wrongly, and outpool answer says that it is not sure',
  },
]

export const expectations: readonly Expectation[] = [
  ...starts,
  ...conversations,
  ...reports,
  ...walls,
  ...texts,
  ...work,
]
