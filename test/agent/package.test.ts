/** The package as npm makes it, and what a person does with it first: install, init, doctor, up, start. */
import { execFile } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { Fleet } from '../../lab/fleet.js'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import { makeLogin } from '../../lab/standin/logins.js'
import { startWorld } from '../../lab/standin/world.js'
import { byNight } from '../byNight.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
const maxPackedBytes = 1_800_000

/** What `npm pack --json` prints. */
const packed = z.tuple([
  z.object({ filename: z.string(), size: z.number(), files: z.array(z.object({ path: z.string() })) }),
])

let dir: string
let archive: string
let size: number
let files: string[]

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-package-'))
  // Without scripts: it packs what `npm run build` has built.
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', dir]
  const [made] = packed.parse(JSON.parse((await run('npm', args, { cwd: root })).stdout))
  archive = join(dir, made.filename)
  size = made.size
  files = made.files.map(({ path }) => path)
})
afterAll(() => rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('the package', () => {
  it('is small: no source map, and no declaration but that of what may be imported', () => {
    expect(size).toBeLessThan(maxPackedBytes)
    expect(files.filter((path) => path.endsWith('.map'))).toEqual([])
    expect(files.filter((path) => path.endsWith('.ts'))).toEqual(['dist/client/beat.d.ts'])
  })

  it('names no folder of the machine that built it', () => {
    const naming = files.filter((path) => read(path).includes(root))
    expect(naming).toEqual([])
    // The bundle of the workflows has its map inside it.
    const map = read('dist/workflows/bundle.js').split('base64,').at(-1) ?? ''
    expect(Buffer.from(map, 'base64').toString()).not.toContain(root)
  })

  it('brings the licence of everything that is bundled into it', () => {
    const licences = read('dist/THIRD-PARTY-LICENSES.txt')
    for (const name of ['@temporalio/proto', '@grpc/grpc-js', 'zod', 'yaml', 'commander', 'ink', 'react'])
      expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'))
  })

  it.each(['README.md', 'CHANGELOG.md', 'SECURITY.md'])(
    '%s links only to what is packed, or to an address',
    (page) => {
      expect(linksOf(page).filter(({ path }) => !files.includes(path))).toEqual([])
    },
  )

  it('its guides link only to what is packed, pictures apart', () => {
    const guides = files.filter((path) => /^docs\/.+\.md$/.test(path))
    expect(guides.length).toBeGreaterThan(5)
    const broken = guides.flatMap((page) =>
      linksOf(page)
        .filter(({ path, isPicture }) => !isPicture && !files.includes(path))
        .map(({ path }) => `${page}: ${path}`),
    )
    expect(broken).toEqual([])
  })

  it('its programs send a person only to pages that there are', () => {
    const pages = files
      .filter((path) => /^(dist\/(client|worker)|deploy)\//.test(path))
      .flatMap((path) => [...read(path).matchAll(/outpool\/blob\/main\/([\w./-]+\.md)/g)])
      .map(([, page = '']) => page)
    expect(pages.length).toBeGreaterThan(0)
    for (const page of pages) expect(existsSync(join(root, page)), page).toBe(true)
  })
})

interface Link {
  /** From the top of the package. */
  path: string
  isPicture: boolean
}

/** Relative ones only, without the heading that they name. */
function linksOf(page: string): Link[] {
  return [...read(page).matchAll(/(!?)\[[^\]]*\]\(([^)\s]+)\)/g)]
    .map(([, mark = '', target = '']) => ({ isPicture: mark === '!', target: target.split('#')[0] ?? '' }))
    .filter(({ target }) => target !== '' && !/^[a-z]+:/.test(target))
    .map(({ isPicture, target }) => ({ isPicture, path: normalize(join(dirname(page), target)) }))
}

describe('installed in an empty folder', () => {
  let prefix: string
  let fleet: Fleet
  const installed = (path: string): string => join(prefix, 'node_modules', 'outpool', path)

  beforeAll(async () => {
    prefix = join(dir, 'prefix')
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline']
    await run('npm', ['install', '--prefix', prefix, ...quiet, archive], { cwd: dir })
    const fleetDir = join(dir, 'fleet')
    mkdirSync(fleetDir)
    const world = await startWorld(fleetDir, { accounts: ['max-1', 'max-2'] })
    for (const name of ['max-1', 'max-2'])
      makeLogin(join(world.hostEnv['HOME'] ?? '', `.claude-${name}`), world.standIn.account(name), {
        trusted: [world.cwd],
      })
    fleet = new Fleet(fleetDir, world, { command: join(prefix, 'node_modules', '.bin', 'outpool') })
  }, 300_000)
  afterAll(() => fleet.close())

  it('says which commands there are', async () => {
    const { code, stdout } = await fleet.run('--help')
    expect(code).toBe(0)
    expect(stdout).toContain('outpool [options] [command]')
    expect(stdout).not.toMatch(/npm run|\bdocs\/|examples\//)
  })

  it('init finds the logins, and writes a file that editors can check', async () => {
    const { code, stderr } = await fleet.run('init')
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const text = readFileSync(join(fleet.dir, 'outpool.yaml'), 'utf8')
    expect(text).toContain('~/.claude-max-1')
    expect(text).toContain('~/.claude-max-2')
    const [, schema = ''] = /^# yaml-language-server: \$schema=(.+)$/m.exec(text) ?? []
    expect(schema).toBe(installed('dist/config/schema/outpool.schema.json'))
    expect(() => JSON.parse(readFileSync(schema, 'utf8')) as unknown).not.toThrow()
    // All that the person has to add here: which program is the agent, and where its API is.
    const agent = { command: agentProgram, env: fleet.world.agentEnv, rehearse: 'off' }
    appendFileSync(join(fleet.dir, 'outpool.yaml'), stringify({ agents: { 'claude-code': agent } }))
  })

  it('doctor finds nothing that fails', async () => {
    const { code, stdout, stderr } = await fleet.run('doctor')
    expect(stderr).toBe('')
    expect(code, stdout).toBe(0)
    expect(stdout).toContain('no failures')
  })

  it('up and start bring an agent up, which answers', async () => {
    await fleet.up()
    const { code, stderr } = await fleet.run('start', 'docs', '--cwd', fleet.world.cwd, '--', 'Hello')
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const session = await fleet.untilSession('docs', ({ phase }) => phase === 'idle')
    expect(readFileSync(session.transcript ?? '', 'utf8')).toContain('Hello')
    expect((await fleet.run('stop', 'docs')).code).toBe(0)
  })

  it('demo says in one sentence that there is no agent program, and starts nothing', async () => {
    const config = join(dir, 'without-agent.yaml')
    const configDir = join(fleet.world.hostEnv['HOME'] ?? '', '.claude-max-1')
    const pool = { accounts: [{ name: 'max-1', configDir }] }
    writeFileSync(config, stringify({ pool, agents: { 'claude-code': { command: '/nowhere/claude' } } }))
    const { code, stdout, stderr } = await fleet.run('demo', '--config', config)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^outpool: there is no agent program \/nowhere\/claude .+\n {2}-> Install .+\n$/)
  })

  byNight('demo shows the rescue on the configured program, and leaves nothing behind', async () => {
    const before = readdirSync(fleet.world.hostEnv['TMPDIR'] ?? '')
    const { code, stdout, stderr } = await fleet.run('demo')
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/\b([1-9]\d*) of \1 earlier messages were word for word/)
    expect(stdout).toContain(agentProgram)
    expect(stdout).not.toMatch(/npm link|dist\/client/)
    expect(readdirSync(fleet.world.hostEnv['TMPDIR'] ?? '')).toEqual(before)
  })

  it('outpool/beat can be imported, with its types, and nothing else can', async () => {
    const beatFile = join(dir, 'bot.beat.json')
    writeFileSync(
      join(prefix, 'bot.mts'),
      `import { beat, type BeatOptions } from 'outpool/beat'\n` +
        `const options: BeatOptions = { file: ${JSON.stringify(beatFile)} }\n` +
        `if (!beat('bot', options)) throw new Error('not written')\n`,
    )
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const flags = ['--module', 'nodenext', '--target', 'es2022', '--strict']
    await run(process.execPath, [tsc, ...flags, 'bot.mts'], { cwd: prefix })
    await run(process.execPath, ['bot.mjs'], { cwd: prefix })
    expect(JSON.parse(readFileSync(beatFile, 'utf8'))).toMatchObject({ by: 'bot' })
    const script = `await import('outpool/dist/client/bin.js')`
    await expect(
      run(process.execPath, ['--input-type=module', '-e', script], { cwd: prefix }),
    ).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  it('the scripts that panes and hooks run can be run', () => {
    for (const path of files.filter((name) => name.endsWith('.sh')))
      expect(statSync(installed(path)).mode & 0o111, path).not.toBe(0)
  })
})
