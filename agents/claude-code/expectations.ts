/** Everything that this adapter expects of Claude Code. Checked on 2.1.330 by the tests in `test/agent`. */
import type { Expectation } from '../expectation.js'

const texts: readonly Expectation[] = [
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
    name: 'stash-key',
    statement:
      'Ctrl-S stashes the whole draft, shows that above the input line, and restores it after the next prompt',
    consequence: 'texts wait while there is a draft in the input line',
  },
  {
    name: 'draft-to-editor',
    statement: 'Ctrl-G gives the whole draft, long pastes included, to $VISUAL',
    consequence: 'a draft goes to the next process as the screen shows it',
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

const starts: readonly Expectation[] = [
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
  {
    name: 'reset-text',
    statement: 'a wall names its reset in words, in 12 or 24 hours, with its zone',
    consequence: 'a wall that is known by its text alone has no reset, and is doubted after half an hour',
  },
]

export const expectations: readonly Expectation[] = [...texts, ...work, ...starts]
