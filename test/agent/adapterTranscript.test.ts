import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { Place } from '../../agents/adapter/place.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { parseReset } from '../../agents/claude-code/limits/resetText.js'

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'adapter-transcript-')))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let n = 0
const place = (): Place => {
  const configDir = join(dir, `${++n}`)
  mkdirSync(join(configDir, 'projects', '-work'), { recursive: true })
  return { kind: 'account', name: 'a', configDir, env: {} }
}

const at = '2026-11-22T03:00:00.000Z'
const answer = (text: string, more: object = {}): string =>
  `${JSON.stringify({ type: 'assistant', isSidechain: false, timestamp: at, message: { model: 'm', content: [{ type: 'text', text }] }, ...more })}\n`
const prompt = (content: unknown, more: object = {}): string =>
  `${JSON.stringify({ type: 'user', isSidechain: false, timestamp: at, message: { role: 'user', content }, ...more })}\n`
const queue = (operation: string, content?: string): string =>
  `${JSON.stringify({ type: 'queue-operation', operation, timestamp: at, content })}\n`

const file = (...entries: string[]): string => {
  const path = join(dir, `${++n}.jsonl`)
  writeFileSync(path, entries.join(''))
  return path
}

describe('the reset that a text names', () => {
  const rows: [string, string, string, string | null][] = [
    ['later today', 'resets 9:50pm (UTC)', '2026-11-22T15:00:00Z', '2026-11-22T21:50:00.000Z'],
    ['tomorrow, not today', 'resets 1am (UTC)', '2026-11-22T23:10:00Z', '2026-11-23T01:00:00.000Z'],
    ['noon', 'resets 12pm (UTC)', '2026-11-22T03:00:00Z', '2026-11-22T12:00:00.000Z'],
    ['midnight', 'resets 12am (UTC)', '2026-11-22T03:00:00Z', '2026-11-23T00:00:00.000Z'],
    ['within this minute', 'resets 3:00am (UTC)', '2026-11-22T03:00:42Z', '2026-11-22T03:00:00.000Z'],
    [
      'two minutes ago means tomorrow',
      'resets 2:58am (UTC)',
      '2026-11-22T03:00:00Z',
      '2026-11-23T02:58:00.000Z',
    ],
    ['a date', 'resets Nov 24, 3:53am (UTC)', '2026-11-22T03:00:00Z', '2026-11-24T03:53:00.000Z'],
    [
      'a date over the year’s end',
      'resets Jan 2, 10pm (UTC)',
      '2026-12-29T03:00:00Z',
      '2027-01-02T22:00:00.000Z',
    ],
    [
      'a zone west of us, its own today',
      'resets 9pm (America/New_York)',
      '2026-11-22T03:00:00Z',
      '2026-11-23T02:00:00.000Z',
    ],
    [
      'a zone whose day is another one',
      'resets 1am (Asia/Tokyo)',
      '2026-11-22T15:30:00Z',
      '2026-11-22T16:00:00.000Z',
    ],
    [
      'clocks set back: the later of two',
      'resets 2:30am (Europe/Berlin)',
      '2026-10-24T22:00:00Z',
      '2026-10-25T01:30:00.000Z',
    ],
    [
      'clocks set forward: the skipped time moves on',
      'resets 2:30am (Europe/Berlin)',
      '2026-03-28T22:00:00Z',
      '2026-03-29T01:30:00.000Z',
    ],
    [
      'after clocks were set back',
      'resets Oct 26, 9am (Europe/Berlin)',
      '2026-10-24T12:00:00Z',
      '2026-10-26T08:00:00.000Z',
    ],
    ['24 hours', 'resets 21:50 (UTC)', '2026-11-22T03:00:00Z', '2026-11-22T21:50:00.000Z'],
    [
      '24 hours, a date',
      'resets Nov 24, 15:53 (Europe/Berlin)',
      '2026-11-22T03:00:00Z',
      '2026-11-24T14:53:00.000Z',
    ],
    ['24 hours, on the hour', 'resets Nov 24, 15 (UTC)', '2026-11-22T03:00:00Z', '2026-11-24T15:00:00.000Z'],
    ['24 hours, midnight', 'resets 00:05 (UTC)', '2026-11-22T23:00:00Z', '2026-11-23T00:05:00.000Z'],
    ['midnight as some show it', 'resets 24:05 (UTC)', '2026-11-22T23:00:00Z', '2026-11-23T00:05:00.000Z'],
    ['an hour that is none', 'resets 25:05 (UTC)', '2026-11-22T23:00:00Z', null],
    ['an hour that is none with a half', 'resets 13:05pm (UTC)', '2026-11-22T23:00:00Z', null],
    ['no zone: nobody knows', 'resets 9pm', '2026-11-22T03:00:00Z', null],
    ['a zone that is none', 'resets 9pm (Mars/Olympus)', '2026-11-22T03:00:00Z', null],
    ['a day that is none', 'resets Feb 30, 9pm (UTC)', '2026-02-22T03:00:00Z', null],
    ['no reset', "You've hit your limit", '2026-11-22T03:00:00Z', null],
  ]
  it.each(rows)('%s: %s', (_, text, written, expected) => {
    expect(parseReset(`You've hit your session limit · ${text}`, written)).toBe(expected)
  })

  it('is the intended instant, for any instant of the coming day, in any zone', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'Pacific/Apia',
    ]
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2026, 0, 1) / 60_000, max: Date.UTC(2028, 0, 1) / 60_000 }),
        fc.integer({ min: 1, max: 22 * 60 }),
        fc.constantFrom(...zones),
        fc.constantFrom('h12', 'h23', 'h24'),
        (writtenMinute, ahead, timeZone, hourCycle) => {
          const meant = (writtenMinute + ahead) * 60_000
          const shown = new Intl.DateTimeFormat('en-US', {
            timeZone,
            hourCycle,
            hour: 'numeric',
            minute: '2-digit',
          })
            .format(meant)
            .replace(/\s/g, '')
            .toLowerCase()
          const read = parseReset(
            `resets ${shown} (${timeZone})`,
            new Date(writtenMinute * 60_000).toISOString(),
          )
          const late = Date.parse(read ?? '') - meant
          // When clocks are set back a reading means two instants, and the later one is used.
          expect([0, 30 * 60_000, 60 * 60_000]).toContain(late)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('reading what was added', () => {
  it('starts where the last read ended, however the writer splits its lines', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.array(fc.nat({ max: 4000 }), { maxLength: 6 }),
        async (texts, cuts) => {
          const whole = Buffer.from(texts.map((text) => prompt(text)).join(''))
          const path = file()
          const ends = [...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length]
          const promptsRead: string[] = []
          let [written, offset] = [0, 0]
          for (const end of ends) {
            appendFileSync(path, whole.subarray(written, end))
            written = end
            const tail = await claudeCode.readTail(path, offset)
            offset = tail.offset
            promptsRead.push(...tail.prompts)
          }
          expect(promptsRead).toEqual(texts)
          expect(offset).toBe(whole.length)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('skips broken entries, unknown entries and lines too long to hold', async () => {
    const huge = `{"type":"user","message":{"role":"user","content":"${'x'.repeat(17 * 1024 * 1024)}"}}\n`
    const path = file(
      'not json\n',
      '{"type":"api-request-blob","message":{"role":"user","content":"private"}}\n',
      huge,
      '[]\n',
      prompt('mine'),
      answer('yes'),
    )
    expect(await claudeCode.readTail(path, 0)).toMatchObject({
      prompts: ['mine'],
      last: { kind: 'answer', at },
    })
  })

  it('a transcript that does not exist yet, or is shorter than before, has nothing new', async () => {
    expect(await claudeCode.readTail(join(dir, 'none.jsonl'), 12)).toEqual({
      offset: 12,
      last: null,
      prompts: [],
      entered: [],
      queued: [],
      commands: [],
      blocked: [],
    })
    expect(await claudeCode.readTail(file('{}\n'), 400)).toMatchObject({ offset: 400, last: null })
  })

  it('only what a person typed is a prompt', async () => {
    const path = file(
      prompt('typed'),
      prompt([{ type: 'text', text: 'pasted' }, { type: 'image' }]),
      prompt('hidden', { isMeta: true }),
      prompt('to a subagent', { isSidechain: true }),
      prompt('a summary', { isCompactSummary: true }),
      prompt([{ type: 'tool_result', content: 'typed by nobody' }]),
      prompt([{ type: 'text', text: '[Request interrupted by user for tool use]' }]),
      answer('of a subagent', { isSidechain: true }),
    )
    expect(await claudeCode.readTail(path, 0)).toMatchObject({ prompts: ['typed', 'pasted'], last: null })
  })

  it('a queued text is held until it leaves the queue, and taken when the model gets it', async () => {
    const queuedEntry = `${JSON.stringify({ type: 'attachment', isSidechain: false, attachment: { type: 'queued_command', commandMode: 'prompt', prompt: 'one' } })}\n`
    const news = queuedEntry.replace('"prompt","prompt":"one"', '"task-notification","prompt":"a task ended"')
    expect(
      await claudeCode.readTail(
        file(queue('enqueue', 'one'), queue('enqueue', 'two'), queue('remove', 'one'), queuedEntry, news),
        0,
      ),
    ).toMatchObject({ queued: ['two'], prompts: ['one'] })
    const dequeued = [queue('enqueue', 'one'), queue('enqueue', 'two'), queue('dequeue')]
    expect(await claudeCode.readTail(file(...dequeued, prompt('one')), 0)).toMatchObject({
      queued: ['two'],
      prompts: ['one'],
    })
  })

  it("law 13: what the program queues in its own name is not a person's text, and a paste is read without its envelope", async () => {
    const news = '<task-notification>\n<task-id>b1</task-id>\n<status>killed</status>\n</task-notification>'
    const pasted = '<pasted_content id="016c">\none\ntwo\nthree\nfour\n</pasted_content id="016c">'
    const tail = await claudeCode.readTail(
      file(queue('enqueue', news), queue('enqueue', pasted), queue('enqueue', 'and the linter')),
      0,
    )
    expect(tail.queued).toEqual(['one\ntwo\nthree\nfour', 'and the linter'])
    // Messages of the program leave the queue in order, too.
    expect(
      (
        await claudeCode.readTail(
          file(queue('enqueue', news), queue('enqueue', 'one'), queue('dequeue'), prompt(news)),
          0,
        )
      ).queued,
    ).toEqual(['one'])
  })

  it('law 13: commands, messages and output that the program writes as a user are not prompts', async () => {
    const tail = await claudeCode.readTail(
      file(
        prompt('<bash-input>echo important</bash-input>'),
        prompt('<bash-stdout>important</bash-stdout><bash-stderr></bash-stderr>'),
        prompt('<command-name>/compact</command-name>\n<command-args></command-args>'),
        prompt('<task-notification>\n<status>killed</status>\n</task-notification>'),
        prompt('said by another session', { origin: { kind: 'peer' } }),
        prompt('typed', { origin: { kind: 'human' } }),
        `${JSON.stringify({ type: 'system', subtype: 'informational', timestamp: at, content: 'Unknown command: /nonsense' })}\n`,
      ),
      0,
    )
    expect(tail).toMatchObject({
      prompts: ['typed'],
      entered: ['typed'],
      commands: [{ refusal: null }, { refusal: null }, { refusal: 'Unknown command: /nonsense' }],
    })
  })

  it('law 13: a prompt that a hook refused does not count as entered, and its reason is read with and without the field for it', async () => {
    const said =
      'UserPromptSubmit operation blocked by hook:\n[/home/me/block.sh]: no such\nwords\n\n\nOriginal prompt: mine'
    const ending = { promptSubmitEnding: { ending: { kind: 'blocked_by_hook', reason: 'no such\nwords' } } }
    const entry = (more: object): string =>
      `${JSON.stringify({ type: 'system', subtype: 'informational', timestamp: at, content: said, ...more })}\n`
    expect(await claudeCode.readTail(file(entry(ending), entry({})), 0)).toMatchObject({
      entered: [],
      blocked: [{ reason: 'no such words' }, { reason: 'no such words' }],
    })
  })

  it('law 13: a prompt that a hook has stopped stays in the conversation, but neither counts as entered nor leaves a turn open', async () => {
    const ending = { kind: 'stopped_by_hook', reason: 'no such words' }
    const entries = [
      prompt('mine'),
      prompt('Operation stopped by hook: no such words', { isMeta: true }),
      `${JSON.stringify({
        ...{ type: 'system', subtype: 'informational', timestamp: at, uuid: 'u1', level: 'warning' },
        content: 'Operation stopped by hook: no such words',
        promptSubmitEnding: { ending, promptKept: true },
      })}\n`,
    ]
    const transcript = file(...entries)
    expect(await claudeCode.readTail(transcript, 0)).toMatchObject({
      prompts: ['mine'],
      entered: [],
      blocked: [{ reason: 'no such words' }],
    })
    expect((await claudeCode.readEnd(transcript))?.turn).toBe('ended')
  })

  describe('a turn that a hook of the user’s has stopped after a tool was called', () => {
    const entry = (content: object): string =>
      `${JSON.stringify({ uuid: 'u1', isSidechain: false, timestamp: at, ...content })}\n`
    const called = entry({
      type: 'assistant',
      message: {
        model: 'm',
        stop_reason: 'tool_use',
        content: [{ type: 'tool_use', id: 't1', name: 'Bash' }],
      },
    })
    const result = entry({
      type: 'user',
      message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'hi' }] },
    })
    const stopped = (hookEvent: string, message = 'no such tools'): string =>
      entry({
        type: 'attachment',
        attachment: { type: 'hook_stopped_continuation', message, hookName: `${hookEvent}:Bash`, hookEvent },
      })
    const lasts = (kind: string) => entry({ type: 'system', subtype: 'turn_duration', kind })

    it.each([
      ['PreToolUse', stopped('PreToolUse')],
      ['PostToolUse', stopped('PostToolUse')],
      ['PostToolBatch', stopped('PostToolBatch', '[/home/me/hook.sh]: no such\ntools\n')],
    ])('law 5, law 13: is over, with the reason of %s', async (hook, entries) => {
      const transcript = file(prompt('mine'), called, result, entries, lasts('end'))
      expect((await claudeCode.readEnd(transcript))?.turn).toBe('ended')
      expect((await claudeCode.readTail(transcript, 0)).last).toEqual({
        kind: 'stopped',
        ...{ hook, reason: 'no such tools' },
      })
    })

    it('law 5: is over if more results of the same call were written after it, and open without it', async () => {
      const between = file(prompt('mine'), called, result, stopped('PreToolUse'), result)
      expect((await claudeCode.readEnd(between))?.turn).toBe('ended')
      expect((await claudeCode.readEnd(file(prompt('mine'), called, result, result)))?.turn).toBe('open')
      // The stop was of the turn before.
      const later = file(called, stopped('PreToolUse'), prompt('mine'), called, result)
      expect((await claudeCode.readEnd(later))?.turn).toBe('open')
      expect((await claudeCode.readEnd(file(result)))?.turn).toBe('open')
    })

    it('ends with the next answer; a Stop hook stops nothing', async () => {
      const goesOn = file(prompt('mine'), called, stopped('PreToolUse'), prompt('go on'), answer('Done.'))
      expect((await claudeCode.readTail(goesOn, 0)).last?.kind).toBe('answer')
      const atEnd = file(prompt('mine'), answer('Done.'), stopped('Stop'))
      expect((await claudeCode.readTail(atEnd, 0)).last?.kind).toBe('answer')
    })
  })

  it('law 5: a text that was taken out of the queue is held until it is in the conversation', async () => {
    const dequeued = [queue('enqueue', 'one'), queue('enqueue', 'two'), queue('dequeue')]
    expect((await claudeCode.readTail(file(...dequeued), 0)).queued).toEqual(['one', 'two'])
    // Back in the input line it is a draft, and no longer a text that waits.
    expect((await claudeCode.readTail(file(...dequeued, queue('popAll', 'two')), 0)).queued).toEqual(['one'])
  })

  it('law 6: a text about a limit proves nothing if the version names its errors', async () => {
    const refused = (more: object): string =>
      answer('', {
        isApiErrorMessage: true,
        error: 'rate_limit',
        apiErrorStatus: 429,
        message: { model: '<synthetic>', content: [{ type: 'text', text: "You've hit your weekly limit" }] },
        ...more,
      })
    const classOf = async (entry: string): Promise<string | null> => {
      const { last } = await claudeCode.readTail(file(entry), 0)
      return last?.kind === 'failure' ? last.failure.class : null
    }
    expect(await classOf(refused({ apiErrorType: 'rate_limit_error' }))).toBe('transient')
    expect(await classOf(refused({ quotaLimits: { status: 'allowed' } }))).toBe('transient')
    expect(await classOf(refused({ apiErrorStatus: 529 }))).toBe('transient')
    expect(await classOf(refused({}))).toBe('wall')
    expect(await classOf(refused({ message: { model: 'm', content: [] } }))).toBeNull()
  })

  it.each([
    ['seven_day_opus', 'model:opus'],
    ['seven_day_sonnet', 'model:sonnet'],
    ['seven_day_overage_included', 'model:fable'],
    ['seven_day_mythos', 'model:mythos'],
    ['seven_day', 'account'],
    ['overage', 'account'],
    ['something_new', 'account'],
  ])('law 4: a wall of the claim %s is one of %s, also of an unknown model', async (claim, scope) => {
    const entry = answer('You have hit your limit', {
      ...{
        isApiErrorMessage: true,
        error: 'rate_limit',
        apiErrorStatus: 429,
        apiError: 'usage_limit_reached',
      },
      quotaLimits: { status: 'rejected', resetsAt: 1795297961, rateLimitType: claim },
      message: { model: '<synthetic>', content: [{ type: 'text', text: 'You have hit your limit' }] },
    })
    expect((await claudeCode.readTail(file(entry), 0)).last).toMatchObject({
      failure: { class: 'wall', wall: { kind: claim, scope } },
    })
  })

  it('law 15: an error of three megabytes, in its text and in each of its fields, is read as a short one', async () => {
    const long = 'x'.repeat(3_000_000)
    const written = {
      ...{
        type: 'assistant',
        isApiErrorMessage: true,
        timestamp: at,
        error: 'rate_limit',
        apiErrorStatus: 429,
      },
      message: { model: '<synthetic>', content: [{ type: 'text', text: long }] },
    }
    const quotaLimits = { status: 'rejected', rateLimitType: `seven_day_${long}` }
    for (const entry of [
      { ...written, error: long, apiErrorStatus: 500 },
      { ...written, quotaLimits },
      { ...written, apiError: 'usage_limit_reached', apiErrorType: long },
    ]) {
      const { last } = await claudeCode.readTail(file(`${JSON.stringify(entry)}\n`), 0)
      expect(last?.kind).toBe('failure')
      expect(JSON.stringify(last).length).toBeLessThan(5_000)
    }
  })

  it('law 6: a failure counts only until the next answer', async () => {
    const failure = answer('API Error: 529', {
      isApiErrorMessage: true,
      error: 'server_error',
      message: { model: '<synthetic>', content: [{ type: 'text', text: 'API Error: 529 Overloaded' }] },
    })
    expect((await claudeCode.readTail(file(failure), 0)).last).toMatchObject({
      kind: 'failure',
      failure: { class: 'transient' },
    })
    expect((await claudeCode.readTail(file(failure, answer('well again')), 0)).last).toEqual({
      kind: 'answer',
      at,
    })
  })
})

describe('finding a transcript', () => {
  const id = '11111111-2222-4333-8444-555555555555'

  it('works in any project folder, by its real path, and picks the newest of several', async () => {
    const target = place()
    expect(await claudeCode.findTranscript(target, id)).toBeNull()
    const [one, other] = ['-work', '-elsewhere'].map((name) => {
      mkdirSync(join(target.configDir, 'projects', name), { recursive: true })
      return join(target.configDir, 'projects', name, `${id}.jsonl`)
    })
    writeFileSync(other!, '')
    expect(await claudeCode.findTranscript(target, id)).toBe(other)
    writeFileSync(one!, '')
    utimesSync(other!, 1, 1)
    expect(await claudeCode.findTranscript(target, id)).toBe(one)
    const linked = { ...place(), configDir: join(dir, 'linked') }
    mkdirSync(linked.configDir)
    symlinkSync(join(target.configDir, 'projects'), join(linked.configDir, 'projects'))
    expect(await claudeCode.findTranscript(linked, id)).toBe(one)
  })

  it('an id that would lead out of the folder finds nothing', async () => {
    const target = place()
    writeFileSync(join(target.configDir, 'secret.jsonl'), '')
    expect(await claudeCode.findTranscript(target, '../../secret')).toBeNull()
  })
})

describe('the last answer', () => {
  it('is the newest text of the main thread, not a thought, a tool call or what a subagent said', async () => {
    const toolCall = answer('', {
      message: { model: 'm', content: [{ type: 'tool_use', id: 't', name: 'Bash', input: {} }] },
    })
    const transcript = file(
      prompt('do it'),
      answer('I look first'),
      toolCall,
      answer('All is well.'),
      answer('of a subagent', { isSidechain: true }),
    )
    expect(await claudeCode.readLastAnswer(transcript, 0)).toEqual({ text: 'All is well.', at })
  })

  it('is null if nothing was said since the given point', async () => {
    const transcript = file(answer('before'))
    const { offset } = await claudeCode.readTail(transcript, 0)
    appendFileSync(transcript, prompt('and now?'))
    expect(await claudeCode.readLastAnswer(transcript, offset)).toBeNull()
  })
})
