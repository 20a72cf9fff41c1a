import { describe, expect, it } from 'vitest'
import { restStateOf, type RunningTask, isWaitingForTasks } from '../../policy/session/backgroundTasks.js'
import { lostTasksText, wakeUpText } from '../../activities/session/backgroundTexts.js'
import { backgroundTasksText } from '../../client/commands/ls.js'
import { questionAttention, parseChoiceNumbers } from '../../policy/session/question.js'
import { nextFiring } from '../../agents/claude-code/schedule.js'

const shell: RunningTask = { id: 's1', kind: 'shell', what: 'Run the tests' }
const subagent: RunningTask = { id: 'a1', kind: 'subagent', what: 'Search the docs' }
const now = '2026-01-02T04:00:00.000Z'
const minutesAgo = (n: number): string => new Date(Date.parse(now) - n * 60_000).toISOString()

describe('background tasks of an agent at rest', () => {
  it('law 6: are those it reported at the end of its turn, minus those that ended since', () => {
    const said = { isAtRest: true, tasks: [shell, subagent] }
    expect(restStateOf('idle', said)).toEqual({ isAtRest: true, tasks: [] })
    expect(restStateOf('shell', said)).toEqual({ isAtRest: true, tasks: [shell] })
    // It reports that it is busy while a subagent works, although no turn runs.
    expect(restStateOf('busy', said)).toEqual({ isAtRest: true, tasks: [shell, subagent] })
    expect(restStateOf('busy', { ...said, isAtRest: false })).toEqual({ isAtRest: false, tasks: [] })
    expect(restStateOf('busy', { isAtRest: true, tasks: [shell] })).toEqual({ isAtRest: false, tasks: [] })
    expect(restStateOf('shell', { isAtRest: false, tasks: [] }).tasks).toHaveLength(1)
  })

  it('law 6: delay a planned move for a bounded time', () => {
    const wait = 30 * 60_000
    expect(isWaitingForTasks([shell], minutesAgo(29), wait, now)).toBe(true)
    expect(isWaitingForTasks([shell], minutesAgo(30), wait, now)).toBe(false)
    expect(isWaitingForTasks([], minutesAgo(0), wait, now)).toBe(false)
  })

  it('are counted in what a person sees', () => {
    expect([0, 1, 2].map(backgroundTasksText)).toEqual([
      null,
      '1 task in the background',
      '2 tasks in the background',
    ])
  })
})

describe('what the next process is told', () => {
  it('names what was lost, and which subagents continue', () => {
    expect(lostTasksText([], [])).toBeNull()
    const text = lostTasksText([shell, subagent], ['a1'])
    expect(text).toContain('the shell command "Run the tests"; the subagent "Search the docs", which goes on')
    expect(text).toContain('(a1)')
    expect(lostTasksText([subagent], [])).not.toContain('goes on')
  })

  it('law 13: is one line that no program folds away, however many tasks there were', () => {
    const many = Array.from({ length: 50 }, (_, i) => ({ ...shell, id: `s${i}`, what: 'x'.repeat(200) }))
    const text = lostTasksText(many, []) ?? ''
    expect(text).toContain('45 more')
    expect(text.length).toBeLessThan(750)
    expect(text).not.toContain('\n')
  })

  it('begins with a word, even if the planned prompt begins with a command', () => {
    expect(wakeUpText({ dueAt: now, prompt: '/loop check the build\n' })).toMatch(
      /^This is the wake-up that you planned for 2026-01-02 04:00 UTC; .*: \/loop check the build$/,
    )
  })
})

it.each([
  ['18 17 * * *', '2026-11-29T17:16:18Z', '2026-11-29T17:18:00.000Z'],
  ['18 17 * * *', '2026-11-29T17:18:00Z', '2026-11-30T17:18:00.000Z'],
  ['*/7 * * * *', '2026-11-29T17:13:44Z', '2026-11-29T17:14:00.000Z'],
  ['30 18 29 11 *', '2026-11-29T17:13:44Z', '2026-11-29T18:30:00.000Z'],
  ['0 9-17/4 * * 1-5', '2026-11-28T10:00:00Z', '2026-11-30T09:00:00.000Z'],
  ['0 0 29 2 *', '2026-03-01T00:00:00Z', '2028-02-29T00:00:00.000Z'],
  ['0 0 13 * 5', '2026-11-01T00:00:00Z', '2026-11-06T00:00:00.000Z'],
  ['0 12 * * 7', '2026-11-28T00:00:00Z', '2026-11-29T12:00:00.000Z'],
  ['0 0 31 2 *', '2026-11-29T00:00:00Z', null],
  ['61 * * * *', '2026-11-29T00:00:00Z', null],
  ['@daily', '2026-11-29T00:00:00Z', null],
])('the schedule %j after %s is due at %s', (schedule, after, due) => {
  expect(nextFiring(schedule, new Date(after))?.toISOString() ?? null).toBe(due)
})

it('an answer is either choice numbers or text', () => {
  expect(['2', ' 1, 3 ', '1 3', '2,2'].map(parseChoiceNumbers)).toEqual([[2], [1, 3], [1, 3], [2]])
  expect(['two', '2 of them', '123', '', '1.5'].map(parseChoiceNumbers)).toEqual([
    null,
    null,
    null,
    null,
    null,
  ])
})

it('a question ends as a sentence', () => {
  expect(questionAttention('docs', 'Which colour?', true)).toBe(
    'it asks: Which colour? Answer with outpool answer docs or outpool attach docs',
  )
  expect(questionAttention('docs', 'how to log in', false)).toBe(
    'it asks: how to log in. Answer with outpool attach docs',
  )
})
