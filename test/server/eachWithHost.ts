/** A host with one account and a tmux server, in a new folder for each test of a file. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, vi } from 'vitest'
import { parseConfig } from '../../config/load/load.js'
import { openHome } from '../../config/state/home.js'
import { Host } from '../../host/host.js'

/** `use` gets the host and its folder before each test. `more`: what the configuration holds besides the account `max-1`. */
export function eachWithHost(
  use: (host: Host, dir: string) => void,
  more: (dir: string) => string = () => '',
): void {
  let dir: string
  let host: Host
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'outpool-host-'))
    mkdirSync(join(dir, 'max-1'))
    const text = `pool: { accounts: [{ name: max-1, configDir: ${join(dir, 'max-1')} }] }\n${more(dir)}`
    const config = parseConfig(text, join(dir, 'x.yaml'), {})
    host = new Host(openHome({ OUTPOOL_HOME: join(dir, 'state') }), config)
    use(host, dir)
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    host.tmux.close()
    await execa('tmux', ['-S', host.home.tmuxSocket, 'kill-server'], { reject: false })
    rmSync(dir, { recursive: true, force: true })
  })
}
