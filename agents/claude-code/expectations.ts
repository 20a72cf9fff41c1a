/** Everything that this adapter expects of Claude Code. Checked on 2.1.330 by the tests in `test/agent`. */
import type { Expectation } from '../expectation.js'

const texts: readonly Expectation[] = [
  {
    name: 'paste-envelope',
    statement:
      'a paste of four line breaks, or of about 800 characters, is written down inside <pasted_content>',
    consequence: 'a queued text that is carried to the next process keeps the marks of its envelope',
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
    consequence: 'outpool send --command waits for a person in place of telling the sender',
  },
  {
    name: 'command-row',
    statement: 'a command of the program leaves an entry with its name, or the mark of a compaction',
    consequence: 'outpool send --command is typed twice at most, and then waits for a person',
  },
  {
    name: 'panel-escape',
    statement: 'a panel that a command opens is drawn below a line of ▔, and Escape closes it',
    consequence: 'outpool send --command /status holds later texts until a person closes the panel',
  },
  {
    name: 'hook-refusal-row',
    statement: 'a prompt that a hook refuses leaves an informational entry that says so, and no other',
    consequence: 'such a text is submitted four times, and then waits for a person',
  },
  {
    name: 'stash-key',
    statement:
      'Ctrl-S puts a draft aside whole, says so above the input line, and brings it back after the next prompt',
    consequence: 'texts wait while a draft stands in the input line',
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
    statement: 'a prompt of the command line is submitted at once, without letters that cannot be seen',
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
    consequence: 'what a wall cut off goes untold',
  },
  {
    name: 'cron-restored',
    statement: '--resume brings recurring plans back, and no one-shot wake-up',
    consequence: 'a plan is said twice, or is lost',
  },
  {
    name: 'subagent-files',
    statement: 'the file of a subagent beside the transcript is enough to go on with it',
    consequence: 'a subagent that is said to go on does not',
  },
  {
    name: 'question-page',
    statement:
      'a question is a page with tabs, a numbered list, a rule and a last choice, and its number chooses',
    consequence: 'a question is named wrongly, and outpool answer says that it is not sure',
  },
]

const starts: readonly Expectation[] = [
  {
    name: 'start-page-without-state',
    statement: 'there is no sessions/<pid>.json while a page stands at the start',
    consequence: 'an account on which a page stands counts as up',
  },
  {
    name: 'settings-warning-continue',
    statement: '"Settings Warning" has a choice "Continue" that decides nothing',
    consequence: 'the page is left to a person, and another account is taken',
  },
  {
    name: 'imports-answer',
    statement: 'the answer about imported files stands under the repository root in .claude.json',
    consequence: 'the page comes again on each account',
  },
  {
    name: 'mcp-answer-by-settings',
    statement: 'answers about MCP servers of a project are honoured in --settings',
    consequence: 'the page comes again on each account',
  },
  {
    name: 'doctor-lists-settings',
    statement: '`claude doctor` names the files and keys of invalid settings, and spends nothing',
    consequence: 'outpool doctor is silent about settings',
  },
  {
    name: 'reset-text',
    statement: 'a wall names its reset in words, in 12 or 24 hours, with its zone',
    consequence: 'a wall that is known by its text alone has no reset, and is doubted after half an hour',
  },
]

export const expectations: readonly Expectation[] = [...texts, ...work, ...starts]
