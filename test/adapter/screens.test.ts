/** The screens in `screens/` were captured from the real program (2.1.330) with `tmux capture-pane -pe`. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Dialog, StartPage } from '../../agents/adapter/dialogs.js'
import type { Place } from '../../agents/adapter/place.js'
import { claudeCode } from '../../agents/claude-code/index.js'
import { plainLines } from '../../agents/claude-code/screen/screen.js'

const coloured = (name: string): string =>
  readFileSync(new URL(`screens/${name}.ansi`, import.meta.url), 'utf8')
const plain = (name: string): string => plainLines(coloured(name)).join('\n')
/** The folder of the recorded trust dialog. */
const folder = '/home/me/elsewhere'
const readDialog = (screen: string, cwd = folder): Dialog | null => claudeCode.readDialog(screen, cwd)
const readDraft = (screen: string): string | null => claudeCode.readDraft(screen)

describe.each([
  ['with colours', coloured],
  ['without colours', plain],
])('a screen captured %s', (_, screen) => {
  it.each([
    ['theme', 'theme', ['Enter']],
    ['security-notes', 'security-notes', ['Enter']],
    ['login-method', 'login-method', null],
    ['api-key', 'api-key', null],
    ['bypass', 'bypass-permissions', null],
    ['limit-menu', 'limit-menu', ['Escape']],
    ['permission', 'permission', null],
    ['model-menu', 'dialog', null],
    ['unable-to-connect', 'no-connection', null],
    ['trust', 'trust', ['End']],
    // Its first choice continues, and decides nothing: what it lists was skipped already.
    ['settings-warning', 'settings-warning', ['Enter']],
    ['settings-error', 'settings-error', null],
    ['external-imports', 'external-imports', null],
    ['mcp-server', 'mcp-servers', null],
    ['mcp-servers', 'mcp-servers', null],
  ])('%s: is the dialog %s, with keys only if nothing is decided for a person', (file, name, keys) => {
    expect(readDialog(screen(file))).toMatchObject({ name, safeKeys: keys })
  })

  it.each(['idle', 'draft', 'draft-multiline', 'billing-fault', 'busy-queued', 'walled-after-escape'])(
    'law 6: %s is not a dialog',
    (file) => {
      expect(readDialog(screen(file))).toBeNull()
    },
  )

  it('a hint in the box is not a draft', () => {
    for (const file of ['idle', 'billing-fault', 'busy-queued', 'limit-menu', 'trust', 'permission'])
      expect(readDraft(screen(file))).toBeNull()
  })

  it('a draft is read whole, over wrapped and over real lines', () => {
    expect(readDraft(screen('draft'))).toMatch(/^a draft of mine, long enough .* all at\nonce$/)
    expect(readDraft(screen('draft-multiline'))).toBe('first line\nsecond line')
  })

  it.each([
    ['draft-cut-above', 'line 34', 'line 40'],
    ['draft-cut-below', 'line 1', 'line 7'],
    ['draft-cut-both', 'line 17', 'line 23'],
    ['draft-cut-paste', 'line 34', 'line 40'],
    ['draft-cut-shell', 'line 24', 'line 30'],
  ])('law 5: %s: the box is found, and known to show a part only', (file, first, last) => {
    const text = screen(file)
    expect(claudeCode.takesInput(text)).toBe(true)
    expect(claudeCode.showsWholeDraft(text)).toBe(false)
    expect(claudeCode.showsEarlierPrompt(text)).toBe(false)
    const shown = readDraft(text)?.split('\n') ?? []
    expect([shown.at(0), shown.at(-1)]).toEqual([`${first} of a draft`, `${last} of a draft`])
    expect(claudeCode.readInputMode(text)).toBe(file === 'draft-cut-shell' ? 'shell' : 'words')
    expect(readDialog(text)).toBeNull()
  })

  it('law 5: an earlier prompt in the box is not the draft', () => {
    expect(claudeCode.showsEarlierPrompt(screen('history'))).toBe(true)
    expect(claudeCode.showsWholeDraft(screen('history'))).toBe(false)
    for (const file of ['idle', 'draft', 'draft-multiline', 'permission'])
      expect(claudeCode.showsEarlierPrompt(screen(file))).toBe(false)
    expect(claudeCode.showsWholeDraft(screen('draft-multiline'))).toBe(true)
  })

  it('a permission is shown in its own words', () => {
    expect(readDialog(screen('permission'))?.prompt).toBe('Do you want to proceed?')
    expect(readDialog(screen('model-menu'))?.prompt).toBe('Select model')
  })
})

it('a panel of a command is told apart from a question to a person, and from a panel that the conversation quotes', () => {
  const showsPanel = (screen: string): boolean => claudeCode.showsPanel(screen)
  expect(showsPanel(coloured('model-menu'))).toBe(true)
  for (const file of ['idle', 'draft', 'limit-menu', 'trust', 'permission', 'permission-choices', 'question'])
    expect(showsPanel(coloured(file))).toBe(false)
  expect(showsPanel(`${plain('model-menu')}\n${plain('idle')}`)).toBe(false)
})

it('a dialog that the conversation quotes above the input box is not open, and neither is a footer', () => {
  const [above, below] = [plain('limit-menu'), plain('idle')]
  expect(readDialog(`${above}\n${below}`)).toBeNull()
  expect(
    readDialog(
      `${above}\n${below}\n  Continuing automatically at 9:54pm · Esc to cancel\n  Enter to confirm`,
    ),
  ).toBeNull()
})

it('resuming: the choice that keeps the whole conversation is found at any position', () => {
  const rule = '─'.repeat(60)
  const choice = (cursor: number): string =>
    [
      rule,
      ' This session is 3h old and 140k tokens.',
      '',
      ...[
        '1. Resume from summary (recommended)',
        '2. Resume full session as-is',
        "3. Don't ask me again",
      ].map((text, i) => ` ${i === cursor ? '❯' : ' '} ${text}`),
      ' Enter to confirm · Esc to cancel',
    ].join('\n')
  expect(readDialog(choice(0))).toMatchObject({ name: 'resume-choice', safeKeys: ['Down'] })
  expect(readDialog(choice(1))).toMatchObject({ safeKeys: ['Enter'] })
  expect(readDialog(choice(2))).toMatchObject({ safeKeys: ['Up'] })
})

describe('law 15: the trust dialog is answered only about the folder of the session', () => {
  const about = (path: string): string => plain('trust').replace(folder, path)
  const keys = (screen: string, cwd?: string) => claudeCode.readDialog(screen, cwd)?.safeKeys

  it('not about another folder, one that begins alike, one below or above, or when the folder is not known', () => {
    for (const other of ['/home/me', `${folder}/sub`, `${folder}2`, '/', 'not a path'])
      expect(keys(about(other), folder), other).toBeNull()
    expect(keys(about(folder))).toBeNull()
  })

  it('also when its path is wrapped, or has odd characters', () => {
    const odd = '/home/me/C#Projects; #(touch pwned)'
    expect(keys(about(odd), odd)).toEqual(['End'])
    const long = `/home/me/${'long name '.repeat(20)}end`
    const wrapped = `${long.slice(0, 109)}\n ${long.slice(109)}`
    expect(keys(about(wrapped), long)).toEqual(['End'])
    expect(keys(about(wrapped), `${long}2`)).toBeNull()
  })
})

it('a grey suggestion is not a draft, but the text before it is', () => {
  const rule = '─'.repeat(60)
  const esc = '\u001b'
  const box = (text: string): string => `${rule}\n${text}\n${rule}\n  footer`
  expect(readDraft(box(`❯\u00a0${esc}[7mw${esc}[0;2mrite the tests next${esc}[0m`))).toBeNull()
  expect(readDraft(box(`❯\u00a0wri${esc}[7mt${esc}[0;2me the tests next${esc}[0m`))).toBe('wri')
  expect(readDraft(box(`❯\u00a0write${esc}[7m ${esc}[0m`))).toBe('write')
})

describe('a page at the start, as described to a person who does not see it', () => {
  const place: Place = { kind: 'account', name: 'max-2', configDir: '/home/dev/.claude-max-2', env: {} }
  const command = { command: 'claude', args: [], env: {} }
  const pageOf = (file: string, at = place): StartPage => {
    const screen = coloured(file)
    return claudeCode.describeStartPage(screen, readDialog(screen)!, at, command, '/work')
  }

  it('names the settings file that cannot be used and the keys, and counts for every session of that account', () => {
    const file = '/home/dev/.claude-max-2/settings.json'
    expect(pageOf('settings-error')).toEqual({
      what: `"Settings Error" about ${file} (cleanupPeriodDays)`,
      remedy: `repair ${file}`,
      cwd: null,
    })
    // The same file, seen from an account with another config dir: for that account it is the project's file.
    expect(pageOf('settings-error', { ...place, configDir: '/home/dev/.claude-max-3' }).cwd).toBe('/work')
  })

  it('a question about the project counts only for sessions in it, and says how to answer it', () => {
    const remedy = 'answer it once by hand: cd /work && CLAUDE_CONFIG_DIR=/home/dev/.claude-max-2 claude'
    expect(pageOf('external-imports')).toEqual({
      what: '"Allow external CLAUDE.md file imports?"',
      remedy,
      cwd: '/work',
    })
    expect(pageOf('mcp-server').what).toBe('"New MCP server found in this project: one"')
    expect(pageOf('mcp-servers').what).toBe('"2 new MCP servers found in this project"')
  })
})
