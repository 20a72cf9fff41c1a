/** Which agents `outpool adopt` means, and what its list says of them. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import picocolors from 'picocolors'
import { afterAll, expect, it } from 'vitest'
import { agentNamed, agentsUnder, sessionNameFor } from '../../client/adoption/select.js'
import { agentList } from '../../client/adoption/table.js'
import type { FoundAgent } from '../../config/state/foundAgents.js'

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'adopt-select-')))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const agent = (pid: number, change: Partial<FoundAgent> = {}): FoundAgent => ({
  ...{ agent: 'claude-code', pid, start: '1', sessionId: `${pid}aaaa-bbbb`, cwd: dir, configDir: '/c' },
  ...{
    account: 'max-1',
    model: 'opus',
    activity: 'idle',
    waitingFor: null,
    since: '2026-01-01T00:00:00.000Z',
  },
  terminal: {
    kind: 'tmux',
    socket: '/tmp/tmux-1/default',
    pane: `%${pid}`,
    session: 'main',
    window: 1,
    index: 0,
  },
  ...{ refusal: null, losses: [], sessionModel: null },
  ...change,
})

it('an agent is named by pane, window, process, terminal or the beginning of its conversation', () => {
  const bare = agent(12, { terminal: { kind: 'tty', path: '/dev/pts/7' } })
  const agents = [agent(11), bare]
  for (const what of ['11', '%11', 'main:1.0', 'main:1', 'main', '11aaaa', '11aaaa-bbbb'])
    expect(agentNamed(what, agents)?.pid, what).toBe(11)
  expect(agentNamed('/dev/pts/7', agents)).toBe(bare)
  for (const what of ['1', '%12', '11aa', 'other']) expect(agentNamed(what, agents), what).toBeNull()
})

it('a name that several agents could have is refused, with their processes', () => {
  expect(() => agentNamed('main', [agent(11), agent(12)])).toThrow(/11, 12/)
})

it('agents under a folder work in it or below, not beside it', () => {
  for (const folder of ['work', 'work/deep', 'work-two']) mkdirSync(join(dir, folder), { recursive: true })
  const agents = ['work', 'work/deep', 'work-two'].map((folder, n) => agent(n, { cwd: join(dir, folder) }))
  expect(agentsUnder(join(dir, 'work'), agents).map(({ pid }) => pid)).toEqual([0, 1])
  expect(() => agentsUnder(join(dir, 'nowhere'), agents)).toThrow(/does not exist/)
})

it('a session is named after its folder, and after no other session', () => {
  expect(sessionNameFor('/home/me/My Docs', [])).toBe('my-docs')
  expect(sessionNameFor('/home/me/docs', ['docs', 'docs-2'])).toBe('docs-3')
  expect(sessionNameFor('/', [])).toBe('adopted')
})

it('the list says of each agent whether it can be adopted and what would be lost, and offers accounts', () => {
  const agents = [
    agent(11),
    agent(12, { refusal: 'nothing-said', activity: 'waiting', waitingFor: 'dialog open' }),
    agent(13, { losses: [{ kind: 'unseen-input' }, { kind: 'variables', names: ['ANTHROPIC_API_KEY'] }] }),
  ]
  const offers = [{ name: 'own', configDir: '/home/me/.claude-own' }]
  const now = new Date('2026-01-01T00:05:00.000Z')
  const text = agentList(
    { agents, offers, conversation: null },
    Infinity,
    picocolors.createColors(false),
    now,
  )
  expect(text).toMatch(/11 +main:1\.0 \(%11\) +max-1 +idle for 5 min +opus +11aaaa-b.* yes$/m)
  expect(text).toMatch(/12 .*waiting \(dialog open\) .*no: nothing was said to it yet/)
  expect(text).toMatch(/13 would lose: what is typed in its terminal.*; the variables ANTHROPIC_API_KEY/)
  expect(text).toContain('- { name: own, configDir: "/home/me/.claude-own" }')
})
