/** The templates in deploy/ and docker-compose.yml: what they promise, and whether systemd accepts them. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { unitText } from '../../client/service/unit.js'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const systemd = await execa('systemd-analyze', ['--version'], { reject: false })

describe('the systemd unit', () => {
  const unit = readFileSync(at('deploy/systemd/outpool.service'), 'utf8')
  const filled = unitText({
    ...{ scope: 'user', node: process.execPath, program: at('package.json'), user: 'somebody' },
    ...{
      config: '/home/some body/100 %/out"pool$.yaml',
      home: '/home/some body',
      env: { PATH: '/usr/bin:/bin' },
    },
  })

  let dir: string
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'outpool-unit-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('law 7: always restarts, and leaves the panes alone when it stops or is killed', () => {
    const set = (line: string) => expect(unit.split('\n')).toContain(line)
    set('Restart=always')
    set('RestartSec=2')
    set('StartLimitIntervalSec=0')
    set('KillMode=process')
    set('TimeoutStopSec=30')
    // A worker that makes no progress is ended and restarted.
    set('Type=notify')
    set('WatchdogSec=2min')
    // With the default, one agent that uses too much memory ends the whole unit.
    set('OOMPolicy=continue')
  })

  it('has no placeholder left to fill in', () => {
    expect(filled.split('\n').filter((line) => !line.startsWith('#') && /@[A-Z]+@/.test(line))).toEqual([])
    // Private folders would hide the sockets in /tmp and the user's repositories from the agents.
    expect(unit).not.toMatch(/^(Private|Protect|ReadOnly|Inaccessible)/m)
  })

  it.skipIf(systemd.failed)('is accepted by systemd without a warning, with its drop-in', async () => {
    writeFileSync(join(dir, 'outpool.service'), filled)
    cpSync(at('deploy/systemd/outpool.service.d'), join(dir, 'outpool.service.d'), { recursive: true })
    mkdirSync(join(dir, 'run'))
    const args = ['verify', '--user', '--man=no', join(dir, 'outpool.service')]
    const { exitCode, stderr } = await execa('systemd-analyze', args, {
      ...{ env: { XDG_RUNTIME_DIR: join(dir, 'run') }, reject: false },
    })
    // It exits with 0 even if it ignored a key that it does not know.
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
  })
})

describe('docker-compose.yml', () => {
  const service = z.looseObject({ image: z.string(), ports: z.array(z.string()).default([]) })
  const { services } = z
    .looseObject({ services: z.record(z.string(), service) })
    .parse(parse(readFileSync(at('docker-compose.yml'), 'utf8'), { merge: true }))

  it('listens on loopback only: Temporal has no authentication', () => {
    const ports = Object.values(services).flatMap((one) => one.ports)
    expect(ports).toHaveLength(2)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  it('pins every image to a version', () => {
    for (const { image } of Object.values(services)) expect(image).toMatch(/:\$\{\w+:-\d+\.\d+(\.\d+)?\}$/)
  })
})
