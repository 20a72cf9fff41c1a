/** `outpool top` in a real terminal, against a real engine. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openHome } from '../../config/state/home.js'
import { columnsOf } from '../../client/output/terminal.js'
import type { SessionDetails } from '../../policy/session/session.js'
import { until } from '../../lab/until.js'
import { ClientHarness } from './clientHarness.js'
import { outpool } from './testHome.js'
import { TestTerminal } from './testTerminal.js'

const top = `${outpool.join(' ')} top`

let harness: ClientHarness
let terminal: TestTerminal

beforeAll(async () => {
  harness = await ClientHarness.open()
})
afterAll(() => harness.close())
beforeEach(() => {
  harness.beginTest()
  const { dir, env } = harness.home
  terminal = new TestTerminal(dir, dir, { ...env, LC_ALL: 'C.UTF-8' })
})
afterEach(async () => {
  terminal.close()
  await harness.endTest()
})

const untilShown = (what: string, isShown: (screen: string) => boolean): Promise<string> =>
  until(what, () => Promise.resolve(terminal.screen()), isShown)
/** To press Enter after characters that came at once. Milliseconds. */
const aPersonTakes = 300

/** Two sessions, of which the name of one begins with that of the other; the first one is chosen. */
async function openWithTwo(): Promise<void> {
  for (const name of ['docs', 'docs-2']) {
    await harness.runOk('start', name, '--cwd', 'work', '--account', 'max-1')
    await harness.untilListed(name, ({ phase }) => phase === 'idle')
  }
  terminal.run(top)
  await untilShown(
    'both sessions',
    (screen) => /^> docs +idle/m.test(screen) && /^ {2}docs-2 +idle/m.test(screen),
  )
}
const isChosen =
  (name: string) =>
  (screen: string): boolean =>
    new RegExp(`^> ${name} `, 'm').test(screen)
const phaseOf = async (name: string): Promise<string> =>
  (await harness.handle(name).query<SessionDetails>('describe')).phase
/** One that comes too early does not count. */
const sayYes = (): Promise<string> =>
  until(
    'a y that counts',
    () => {
      if (terminal.screen().includes('y/N')) terminal.press('y')
      return Promise.resolve(terminal.screen())
    },
    (screen) => !screen.includes('y/N'),
  )
/** As the terminal would be after any other command. */
async function expectRestored(code: number): Promise<void> {
  await terminal.untilShown(`left with ${code}`)
  const flags = terminal.tmux(
    'display-message',
    '-p',
    '-t',
    'person',
    '#{alternate_on} #{cursor_flag} #{wrap_flag}',
  )
  expect(flags.trim()).toBe('0 1 1')
  terminal.run('stty -a')
  const modes = await untilShown('its modes', (screen) => /speed .+left with 0/s.test(screen))
  for (const mode of ['icanon', 'echo', 'isig', 'icrnl', 'opost'])
    expect(modes).toMatch(new RegExp(`(?<!-)\\b${mode}\\b`))
}

describe('without an engine', () => {
  beforeEach(() => {
    writeFileSync(
      join(harness.home.home, 'engine.json'),
      JSON.stringify({ address: '127.0.0.1:1', namespace: 'default', uiUrl: null, pid: 1_999_999_999 }),
    )
    harness.removeLive()
  })

  it.each([
    ['of its own kind', ''],
    ['without an entry, without a locale of UTF-8', 'TERM=xterm-ghostty LC_ALL=C'],
    ['that says it is dumb', 'TERM=dumb'],
    ['with an empty name', 'TERM='],
    ['of a build machine, for developers of its library', 'CI=true DEV=true NODE_ENV=development'],
  ])('shows the accounts and the problem in a terminal %s, and restores it at q', async (_, named) => {
    terminal.run(`env ${named} ${top}`)
    const screen = await untilShown('the accounts', (text) => text.includes('max-2'))
    expect(screen).toContain('max-2')
    expect(screen).toMatch(/^! the Temporal server of .+ is no longer\s+running/ms)
    if (named.includes('LC_ALL=C')) expect(screen).toMatch(/^[\x20-\x7e\n]*$/)
    terminal.press('q')
    await expectRestored(0)
  })

  it('says once what is wrong if it cannot begin', async () => {
    writeFileSync(harness.home.config, 'pool: 7')
    terminal.run(top)
    const screen = await terminal.untilShown('left with 2')
    expect(screen).toContain('outpool.yaml')
    expect(screen).not.toContain('ACCOUNT')
  })
})

describe('orders', () => {
  it('law 5: p, t and m reach the chosen session and no other, after a y or an Enter', async () => {
    await openWithTwo()
    terminal.press('Down')
    await untilShown('the second one chosen', isChosen('docs-2'))

    terminal.press('p')
    await terminal.untilShown('Pause docs-2?')
    expect(await phaseOf('docs-2')).toBe('idle')
    terminal.press('n')
    await terminal.untilShown('nothing was done')
    terminal.press('t')
    await terminal.untilShown('Enter sends it to docs-2')
    terminal.press('-l', 'go on, please')
    await terminal.untilShown('to docs-2: go on, please_')
    await delay(aPersonTakes)
    terminal.press('Enter')
    await terminal.untilShown('accepted for docs-2')
    expect((await harness.received('docs-2')).texts.map(({ text }) => text)).toEqual(['go on, please'])

    terminal.press('m')
    await terminal.untilShown('Move docs-2 to which account?')
    terminal.press('Down', 'Enter')
    await terminal.untilShown('Move docs-2 to max-2?')
    await sayYes()
    await terminal.untilShown('docs-2 moves to max-2')
    const { moves } = await harness.received('docs-2')
    expect(moves).toEqual([{ to: 'max-2', cause: 'move', byPerson: true }])

    terminal.press('p')
    await terminal.untilShown('Pause docs-2?')
    await sayYes()
    await untilShown('the pause', (screen) => screen.includes('docs-2 is paused'))
    expect(await phaseOf('docs-2')).toBe('paused')
    await untilShown('it in the list', (screen) => /^[> ] docs-2 +paused/m.test(screen))

    expect(await phaseOf('docs')).toBe('idle')
    expect(await harness.received('docs')).toMatchObject({ texts: [], moves: [] })
    terminal.press('q')
    await expectRestored(0)
  })

  it('law 5: a session that ends while its question is open gets no order', async () => {
    await openWithTwo()
    terminal.press('p')
    await terminal.untilShown('Pause docs?')
    await harness.runOk('stop', 'docs')
    await terminal.untilShown('docs has ended or is another session now: nothing was done')
    // Until it has left the list it may be the last row, below which there is none to choose.
    await untilShown('the list without it', (screen) => !/^[> ] docs /m.test(screen))
    terminal.press('y')
    terminal.press('Down')
    await untilShown('the next one chosen', isChosen('docs-2'))
    expect(await phaseOf('docs-2')).toBe('idle')
  })

  it('what the engine refuses is said as the command says it', async () => {
    await openWithTwo()
    writeFileSync(
      harness.home.config,
      readFileSync(harness.home.config, 'utf8').replaceAll('name: max-2', 'name: max-9'),
    )
    terminal.press('m')
    await terminal.untilShown('Move docs to which account?')
    terminal.press('Down', 'Enter')
    await terminal.untilShown('Move docs to max-2?')
    await sayYes()
    await terminal.untilShown('there is no account max-2 -> accounts of the pool: max-1, max-9')
    expect((await harness.received('docs')).moves).toEqual([])
  })

  it.each([
    ['marked as a paste', ['-p']],
    ['not marked', []],
  ])(
    'law 13: 10 kB %s change nothing in the list, and are sent as one text by Enter in the input',
    async (_, marked) => {
      await openWithTwo()
      const text = `${'py ry\n'.repeat(1_700)}end`
      const pasted = join(harness.home.dir, 'pasted')
      writeFileSync(pasted, text)
      terminal.tmux('load-buffer', '-b', 'long', pasted)
      const paste = (): string => terminal.tmux('paste-buffer', '-b', 'long', '-t', 'person', ...marked)
      paste()
      await untilShown('a remark', (screen) =>
        /pasted text does nothing|keys at once do nothing/.test(screen),
      )
      // Whatever the last piece of an unmarked paste has opened, Esc closes it.
      terminal.press('Escape')
      await untilShown('the list', (screen) => screen.includes('Enter attach'))
      expect(await harness.received('docs')).toMatchObject({ texts: [], moves: [] })
      expect([await phaseOf('docs'), await phaseOf('docs-2')]).toEqual(['idle', 'idle'])

      terminal.press('t')
      await terminal.untilShown('Enter sends it to docs ')
      paste()
      await terminal.untilShown('end_')
      expect((await harness.received('docs')).texts).toEqual([])
      // Sooner, it would count as a line break of a paste that is not marked.
      await delay(aPersonTakes)
      terminal.press('Enter')
      await terminal.untilShown('accepted for docs')
      expect((await harness.received('docs')).texts.map((sent) => sent.text)).toEqual([text])
    },
  )
})

describe('the terminal', () => {
  it('is redrawn at each size, and no line is wider than it', async () => {
    await openWithTwo()
    terminal.press('d')
    for (const [columns, rows] of [
      [80, 24],
      [200, 60],
      [20, 5],
      [120, 40],
    ] as const) {
      terminal.tmux('resize-window', '-t', 'person', '-x', String(columns), '-y', String(rows))
      // The terminal may be read while a screen is being drawn.
      const screen = await untilShown(
        `${columns} × ${rows}, drawn once`,
        (text) =>
          text.match(/^outpool \d/gm)?.length === 1 &&
          /^> docs/m.test(text) &&
          (columns < 80 || /help$/.test(text.split('\n')[rows - 1] ?? '')),
      )
      expect(Math.max(...screen.split('\n').map(columnsOf))).toBeLessThanOrEqual(columns)
    }
  })

  it('is given to the pane and back: every key that is typed there arrives there', async () => {
    const panes = openHome({ ...process.env, ...harness.home.env }).tmuxSocket
    const ofPanes = (...args: string[]): string =>
      execFileSync('tmux', ['-u', '-S', panes, '-f', '/dev/null', ...args], {
        encoding: 'utf8',
        env: { ...process.env, ...harness.home.env },
      })
    ofPanes('new-session', '-d', '-s', 'docs', 'stty -echo; echo this is the pane; cat; sleep 600')
    try {
      await openWithTwo()
      terminal.press('Enter')
      await terminal.untilShown('this is the pane')
      for (const key of 'qpyry') terminal.press(key)
      terminal.press('Enter')
      await terminal.untilShown('qpyry')
      ofPanes('detach-client', '-s', 'docs')
      await untilShown('the screen', isChosen('docs'))
      expect(await phaseOf('docs')).toBe('idle')
      terminal.press('d')
      await untilShown(
        'the lines of the pane',
        (screen) => screen.includes('last lines of its pane') && screen.includes('qpyry'),
      )
      terminal.press('Down')
      await untilShown('a session without one', (screen) => screen.includes('no pane on this host'))
      terminal.press('Enter')
      await terminal.untilShown('session docs-2 has no pane here')
      terminal.press('q')
      await expectRestored(0)
    } finally {
      ofPanes('kill-server')
    }
  })

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)('is restored at %s', async (signal, code) => {
    await openWithTwo()
    const shell = terminal.tmux('display-message', '-p', '-t', 'person', '#{pane_pid}').trim()
    process.kill(Number(execFileSync('pgrep', ['-P', shell], { encoding: 'utf8' })), signal)
    await expectRestored(code)
  })

  it("is the shell's while it is suspended", async () => {
    await openWithTwo()
    terminal.press('C-z')
    await untilShown('the shell', (screen) => /Stopped/.test(screen) && !screen.includes('? help'))
    terminal.press('fg', 'Enter')
    await untilShown('the screen again', isChosen('docs'))
    terminal.press('q')
    await terminal.untilShown('left with')
  })

  it('law 14: keeps the sessions on it when the engine is gone, and says so', async () => {
    await openWithTwo()
    const file = join(harness.home.home, 'engine.json')
    const known = readFileSync(file, 'utf8')
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(known) as object), pid: 1_999_999_999 }))
    const screen = await untilShown('the problem', (text) =>
      /^! the Temporal server of .+ is no longer\s+running/ms.test(text),
    )
    expect(screen).toMatch(/^> docs +idle/m)
    terminal.press('p')
    await terminal.untilShown('Pause docs?')
    await sayYes()
    await untilShown('what became of the order', (text) =>
      /is no longer running -> start it again/.test(text.replaceAll('\n', ' ')),
    )
    writeFileSync(file, known)
    await untilShown('all well', (text) => !/^!/m.test(text))
    expect(await phaseOf('docs')).toBe('idle')
  })
})
