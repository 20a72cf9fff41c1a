/** `outpool report --html`: a page that a real browser shows, that loads nothing, and in which nothing from outside is markup. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { EventDraft } from '../../config/events/schema.js'
import { openHome } from '../../config/state/home.js'
import { EventStore } from '../../host/state/eventStore.js'
import { hasDebianProgram } from '../../lab/machine/debianProgram.js'
import { newTestHome, type TestHome } from './testHome.js'

let place: TestHome
let file: string
beforeEach(() => {
  place = newTestHome()
  file = join(place.dir, 'report.html')
})
afterEach(() => place.remove())

const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()
const attack = `<script>document.title='taken'</script><img src=x onerror="document.title='taken'">"'&`

const wall = { kind: 'five_hour', scope: 'account', resetsAt: ago(-60), evidence: 'transcript' } as const
const moved = (n: number, cause: 'wall' | 'move', minutes: number): EventDraft => ({
  ...{ id: `m${n}`, at: ago(minutes), kind: 'session-moved', session: 'docs', n, cause },
  ...{ from: 'max-1', to: 'max-2', wall: cause === 'wall' ? wall : null, conversation: 'same' },
  ...{ why: 'the most room', ms: 912 * n, steps: [] },
})

async function writeReport(): Promise<string> {
  new EventStore(openHome({ OUTPOOL_HOME: place.home }), () => ({
    maxSize: 1e6,
    keepFor: 86_400_000,
  })).record(
    moved(1, 'wall', 330),
    moved(2, 'wall', 320),
    moved(3, 'move', 30),
    {
      ...{ id: 'w', at: ago(300), kind: 'account-walled', account: 'max-1', wall: 'five_hour' },
      ...{ scope: 'account', resetsAt: ago(-60), evidence: 'transcript' },
    },
    { id: 'q', at: ago(3), kind: 'session-waiting', session: 'docs', reason: 'permission' },
    { id: 'f', at: ago(2), kind: 'task-failed', task: 'inbox', ms: 5, error: attack, failures: 1 },
  )
  const { code, stdout, stderr } = await place.run(['report', '--html', 'report.html'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toBe(`the report is in ${file}\n`)
  return readFileSync(file, 'utf8')
}

it('law 15: one file of its owner that names nothing to load, and in which texts stay texts', async () => {
  const page = await writeReport()
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const tags = [...page.matchAll(/<[a-z][^>]*>/gi)].join('\n')
  expect(tags).toContain('<table>')
  expect(tags).not.toMatch(/<(?:script|img|link|iframe|object)\b|\b(?:src|href|on\w+)=/i)
  expect(page).not.toMatch(/url\(|@import/i)
  expect(page).toContain('&lt;script&gt;document.title=')
  expect(page).toContain(`content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"`)
})

it('fails with a reason if the file cannot be written, and refuses two forms at once', async () => {
  expect(await place.run(['report', '--html', 'no/such/folder.html'])).toMatchObject({
    ...{ code: 1, stderr: expect.stringContaining('cannot be written to no/such/folder.html') as string },
  })
  expect(await place.run(['report', '--html', 'x.html', '--json'])).toMatchObject({ code: 2 })
})

const browser = '/usr/bin/chromium'

it.skipIf(!(await hasDebianProgram(browser, 'chromium')))(
  'a browser shows its tables and plots, asks for nothing, and reports no error (skipped without chromium)',
  async () => {
    await writeReport()
    const launched = await chromium.launch({ executablePath: browser, args: ['--no-sandbox'] })
    try {
      const page = await launched.newPage()
      const [requests, problems]: [string[], string[]] = [[], []]
      page.on('request', (request) => requests.push(request.url()))
      page.on('console', (message) => problems.push(message.text()))
      page.on('pageerror', (error) => problems.push(error.message))
      await page.goto(pathToFileURL(file).href)
      expect(await page.title()).toMatch(/^Outpool since /)
      expect(await page.locator('h2').allTextContents()).toEqual([
        ...['Waits for a person now', 'Moves by hour', 'Walled time by account', 'Moves', 'What failed'],
      ])
      const plots = await page.getByRole('img').all()
      expect(await Promise.all(plots.map((plot) => plot.getAttribute('aria-label')))).toEqual([
        ...['Moves by hour', 'Walled time by account'],
      ])
      const columns = await plots[0]!.locator('rect.rescue').all()
      const boxes = await Promise.all(columns.map((column) => column.boundingBox()))
      expect(boxes.filter((box) => (box?.height ?? 0) > 1)).toHaveLength(1)
      expect(await page.getByText(attack).count()).toBe(1)
      expect(requests).toEqual([pathToFileURL(file).href])
      expect(problems).toEqual([])
    } finally {
      await launched.close()
    }
  },
)
