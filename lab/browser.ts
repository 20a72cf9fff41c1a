/**
 * Opens Temporal's Web UI in headless Chromium, without any network, and with Outpool's columns in the list.
 */
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hasDebianProgram } from './machine/debianProgram.js'
import { until } from './until.js'

/** It can reach loopback only. */
const flags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...[
    '--disable-component-update',
    '--disable-sync',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
  ],
]

const width = 1700
const viewportHeight = 1600
/** Of the picture of a page that is a file. */
const fileWidth = 1400
/** A page may wait for the engine's next event before it is complete. Milliseconds. */
const loadsWithin = 20_000

/** Debian's; the variable names another. */
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

export const hasBrowser = (): Promise<boolean> => hasDebianProgram(executablePath, 'chromium')

interface Shot {
  url: string
  /** A text that is on the page, or in a frame of it, once it has loaded. */
  shows: string
  /** The heading at which the picture begins; without one it begins at the top of the page. */
  from?: string
  /** Height of the picture, in pixels; the rest of a longer page is cut off. */
  height: number
  file: string
}

/** The navigation and header of the Web UI, which show nothing of interest. */
const frame = { left: 256, top: 48 }
const above = 16

export class Browser {
  readonly #context: BrowserContext
  readonly #page: Page
  readonly #profile: string

  private constructor(context: BrowserContext, page: Page, profile: string) {
    this.#context = context
    this.#page = page
    this.#profile = profile
  }

  /**
   * `columns`: of the list of workflows in this namespace. `codec`: the endpoint that opens sealed payloads.
   * Throws if Chromium is missing; `hasBrowser` installs it.
   */
  static async open({
    namespace,
    columns,
    codec,
  }: {
    namespace: string
    columns: string[]
    codec: string
  }): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'outpool-chromium-'))
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      args: flags,
      viewport: { width, height: viewportHeight },
      timezoneId: 'UTC',
      colorScheme: 'light',
    })
    const pinned = columns.slice(0, 2)
    const stored = { [namespace]: columns.map((label) => ({ label, pinned: pinned.includes(label) })) }
    // Where the Web UI itself stores a person's choices.
    const chosen = {
      'namespace-workflow-table-columns': stored,
      eventView: 'compact',
      endpoint: codec,
      overrideRemoteCodecConfiguration: true,
    }
    const script = Object.entries(chosen)
      .map(
        ([key, value]) =>
          `localStorage.setItem(${JSON.stringify(key)}, ${JSON.stringify(JSON.stringify(value))})`,
      )
      .join(';')
    await context.addInitScript(script)
    return new Browser(context, context.pages()[0] ?? (await context.newPage()), profile)
  }

  /** The address of a workflow's latest run, to which the Web UI redirects; null until it has. */
  async runOf(workflow: string): Promise<string | null> {
    if (!this.#page.url().startsWith(workflow)) await this.#page.goto(workflow)
    const found = /^(.*\/workflows\/[^/]+\/[0-9a-f-]{36})/.exec(this.#page.url())
    return found?.[1] ?? null
  }

  /** Opens a page, and waits until this text is on it or in a frame of it. Throws if it does not appear. */
  async show(url: string, shows: string): Promise<void> {
    const page = this.#page
    await page.goto(url)
    const counts = (): Promise<number[]> =>
      Promise.all(page.frames().map((one) => one.getByText(shows).count()))
    await until(`${shows} on ${url}`, counts, (found) => found.some((count) => count > 0), loadsWithin)
  }

  async photograph({ url, shows, from, height, file }: Shot): Promise<void> {
    await this.show(url, shows)
    const page = this.#page
    const heading =
      from === undefined ? null : await page.getByRole('heading', { name: from }).first().boundingBox()
    const y = Math.max(frame.top, (heading?.y ?? 0) - above)
    await page.screenshot({ path: file, clip: { x: frame.left, y, width: width - frame.left, height } })
  }

  /** A page that is a file; nothing of it is cut off at the left or the top. */
  async photographFile(page: string, { height, file }: Pick<Shot, 'height' | 'file'>): Promise<void> {
    await this.#page.goto(pathToFileURL(page).href)
    await this.#page.screenshot({ path: file, clip: { x: 0, y: 0, width: fileWidth, height } })
  }

  async close(): Promise<void> {
    await this.#context.close()
    rmSync(this.#profile, { recursive: true, force: true })
  }
}
