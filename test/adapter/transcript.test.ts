/** What the adapter reads from the transcript of a conversation. */
import { appendFileSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { claudeCode } from '../../agents/claude-code/index.js'
import { answer, at, prompt, testTranscripts } from './transcripts.js'
import { testPlaces } from './places.js'

const { dir, file } = testTranscripts()
const { place } = testPlaces()

const queue = (operation: string, content?: string): string =>
  `${JSON.stringify({ type: 'queue-operation', operation, timestamp: at, content })}\n`

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
