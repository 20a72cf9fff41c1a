/** Pages that the program opens at a start, and what it says of a login and of settings without a session. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { claudeCode } from '../../agents/claude-code/index.js'
import { examinerOf } from '../../agents/index.js'
import { type Checks, expectThat, type Scene } from '../checks.js'
import { Agent } from './agent.js'
import { type Context, hoursAhead } from './context.js'

/** Milliseconds between two keys to a page. */
const keyEvery = 300

export const pages: Scene<Context> = {
  name: 'pages',
  covers: [
    ...['trust-page', 'start-page-without-state', 'settings-warning-continue', 'imports-answer'],
    'mcp-answer-by-settings',
  ],
  async run(context, checks) {
    await trustPage(context, checks)
    await importsPage(context, checks)
    await serversPage(context, checks)
    await settingsPage(context, checks)
  },
}

async function trustPage({ harness, world }: Context, checks: Checks): Promise<void> {
  const cwd = folder(world.dir, 'untrusted')
  const place = harness.place(world.login('distrust', { trusted: [] }), 'distrust')
  const agent = await Agent.launch(harness, place, { session: 'trust', cwd }, [], { prepared: false })
  const isOpen = await checks.holds('trust-page', () => agent.dialog('trust'))
  if (!isOpen) {
    await agent.end()
    return
  }
  await checks.holds('start-page-without-state', async () =>
    expectThat((await claudeCode.readLiveStates(place)).length === 0, 'there is a live state already'),
  )
  await checks.holds('trust-page', async () => {
    await agent.passDialog()
    await agent.atRest()
  })
  await agent.end()
}

async function importsPage({ harness, world }: Context, checks: Checks): Promise<void> {
  const cwd = folder(world.dir, 'imports')
  const outside = join(world.dir, 'outside.md')
  writeFileSync(outside, 'Always answer in the manner of a heron.\n')
  writeFileSync(join(cwd, 'CLAUDE.md'), `@${outside}\n`)
  const place = harness.place(world.login('importer'), 'importer')
  const agent = await Agent.launch(harness, place, { session: 'imports', cwd })
  await checks.holds('imports-answer', async () => {
    await agent.dialog('external-imports')
    let before = ''
    await agent.until('the choice "Yes"', async () => {
      const screen = stripVTControlCharacters(await agent.pane.screen())
      if (/❯ (?:\d\. )?Yes, allow external imports/.test(screen)) return true
      // An arrow wraps around at the end, so that a late picture must not bring a second one.
      if (screen === before) await agent.pane.keys('Down')
      before = screen
      await wait(keyEvery)
      return null
    })
    // A page that has just been drawn, or has just taken a key, may drop the next one.
    await agent.until('the page to close', async () => {
      if (claudeCode.readDialog(await agent.pane.screen(), cwd) === null) return true
      await agent.pane.keys('Enter')
      await wait(keyEvery)
      return null
    })
    await agent.atRest()
    const text = readFileSync(join(place.configDir, '.claude.json'), 'utf8')
    const { projects = {} } = JSON.parse(text) as { projects?: Record<string, Record<string, unknown>> }
    expectThat(
      projects[cwd]?.['hasClaudeMdExternalIncludesApproved'] === true,
      'the answer is not stored under the folder',
    )
  })
  await agent.end()
}

async function serversPage({ harness, world }: Context, checks: Checks): Promise<void> {
  const cwd = folder(world.dir, 'servers')
  writeFileSync(join(cwd, '.mcp.json'), JSON.stringify({ mcpServers: { one: { command: 'true' } } }))
  const place = harness.place(world.login('server'), 'server')
  const answered = ['--settings', JSON.stringify({ enabledMcpjsonServers: ['one'] })]
  const agent = await Agent.launch(harness, place, { session: 'servers', cwd }, answered)
  await checks.holds('mcp-answer-by-settings', async () => {
    await agent.until('the input line', async () => {
      const screen = await agent.pane.screen()
      const dialog = claudeCode.readDialog(screen)
      expectThat(dialog === null, `it asks ${dialog?.prompt ?? ''}`)
      return claudeCode.takesInput(screen) ? true : null
    })
  })
  await agent.end()
}

async function settingsPage({ harness, world }: Context, checks: Checks): Promise<void> {
  const settings = { hooks: { NoSuchEvent: [] } }
  const place = harness.place(world.login('warned', { settings }), 'warned')
  const agent = await Agent.launch(harness, place, { session: 'settings' })
  await checks.holds('settings-warning-continue', async () => {
    await agent.dialog('settings-warning')
    await agent.passDialog()
    await agent.atRest()
  })
  await agent.end()
}

/** What needs no terminal. */
export const accounts: Scene<Context> = {
  name: 'accounts',
  covers: ['usage-output', 'auth-status', 'doctor-lists-settings'],
  async run({ world, command }, checks) {
    const examiner = examinerOf('claude-code')
    if (examiner === null) throw new Error('there is no examiner')
    world.standIn.account('idle').windows({ five_hour: { used: 0.33, resetsAt: hoursAhead(4) } })
    const place = (name: string, options = {}) => ({
      ...{ kind: 'account' as const, name, env: {} },
      configDir: world.login(name, options).configDir,
    })
    await checks.holds('usage-output', async () => {
      const { windows, login } = await claudeCode.probe(place('idle'), command, () =>
        new Date().toISOString(),
      )
      expectThat(login === 'in', `the login is ${login}`)
      const read = windows.find(({ name }) => name === 'five_hour')
      expectThat(read?.used === 0.33, `the window five_hour is read as ${read?.used ?? 'nothing'}`)
      const spent = world.standIn
        .requests({ account: 'idle' })
        .filter(({ path }) => path.startsWith('/v1/messages'))
      expectThat(spent.length === 0, `it cost ${spent.length} requests`)
    })
    await checks.holds('auth-status', async () => {
      for (const [name, kind, wanted] of [
        ['in', 'stored', 'in'],
        ['out', 'none', 'out'],
      ] as const) {
        const { login } = await examiner.loginStatus(place(name, { kind }), command)
        expectThat(login === wanted, `${kind === 'none' ? 'no login' : 'a login'} is read as ${login}`)
      }
    })
    await checks.holds('doctor-lists-settings', async () => {
      const broken = place('broken', { settings: { cleanupPeriodDays: 'many' } })
      const found = await examiner.settingsErrors(broken, command)
      expectThat(
        found.some(({ what }) => what.includes('cleanupPeriodDays')),
        'the wrong key is not named',
      )
    })
  },
}

function folder(dir: string, name: string): string {
  const path = join(dir, name)
  mkdirSync(path, { recursive: true })
  return path
}
