/** Law 1 and duplicate logins as a host checks them, on real files with made-up logins. */
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SharedDomainError } from '../../host/errors.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { assertIndependent, readDomains } from '../../host/identity/failureDomains.js'
import { Host } from '../../host/host.js'
import { readLogins } from '../../host/identity/logins.js'
import type { Config } from '../../config/config.js'
import { openHome } from '../../config/state/home.js'
import { parseConfig } from '../../config/load/load.js'
import { acceptedOverlaps } from '../../policy/independence/failureDomains.js'
import { StandInAccount } from '../../lab/standin/account.js'
import { type LoginOptions, makeLogin } from '../../lab/standin/logins.js'

let dir: string
const env: Record<string, string> = {}
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'outpool-domains-')))
  for (const name of ['max-1', 'max-2', 'medic']) login(name)
})
afterEach(() => {
  for (const name of Object.keys(env)) {
    Reflect.deleteProperty(process.env, name)
    Reflect.deleteProperty(env, name)
  }
  rmSync(dir, { recursive: true, force: true })
})

const exported = (name: string, value: string): void => void (process.env[name] = env[name] = value)
const at = (name: string): string => join(dir, name)
const login = (name: string, as = name, options: LoginOptions = {}) =>
  makeLogin(at(name), new StandInAccount(as), options)

type Env = Record<string, unknown>
interface Wish {
  pool?: Record<string, Env>
  medic?: Env
  agent?: Env
  substrate?: Env
  reservedSubstrate?: Env
  wakeUp?: Env
}

function configure({
  pool = {},
  medic = {},
  agent = {},
  substrate,
  reservedSubstrate,
  wakeUp,
}: Wish = {}): Config {
  const account = (name: string, own: Env = {}) => ({ name, configDir: at(name), env: own })
  const written = {
    pool: { accounts: ['max-1', 'max-2'].map((name) => account(name, pool[name])) },
    reserved: [account('medic', medic)],
    substrates: substrate === undefined ? [] : [{ name: 'haiku', env: substrate }],
    reservedSubstrates: reservedSubstrate === undefined ? [] : [{ name: 'spare', env: reservedSubstrate }],
    agents: { 'claude-code': { env: agent } },
    services:
      wakeUp === undefined ? [] : [{ name: 'bot', run: ['bot'], wakeUp: { prompt: 'hello', env: wakeUp } }],
  }
  return parseConfig(stringify(written), at('outpool.yaml'), { HOME: dir })
}

async function overlap(config: Config): Promise<string> {
  try {
    await assertIndependent(config)
    return ''
  } catch (error) {
    if (!(error instanceof SharedDomainError)) throw error
    expect(error.isRetryable).toBe(false)
    for (const line of error.message.split('\n'))
      expect(line).toMatch(/^rescuer shares the failure domain it heals: /)
    return error.message
  }
}

describe('law 1: before any part of the healer is started', () => {
  it('law 1: three separate logins pass, also through one gateway', async () => {
    const config = configure({ agent: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9/' } })
    expect(await overlap(config)).toBe('')
    const { healer, pool, unread } = await readDomains(config)
    expect(unread).toEqual([])
    expect(acceptedOverlaps(healer, pool).map(({ message }) => message)).toEqual([
      'reserved account medic and pool account max-1 go through the same gateway, http://localhost:9',
      'reserved account medic and pool account max-2 go through the same gateway, http://localhost:9',
    ])
  })

  it('law 1: a login that became one of the pool after the worker started', async () => {
    const config = configure()
    expect(await overlap(config)).toBe('')
    login('medic', 'max-2')
    expect(await overlap(config)).toMatch(/reserved account medic and pool account max-2 are the same login/)
  })

  it('law 1: one token from a variable and from a file', async () => {
    exported('TEST_POOL_TOKEN', 'made-up-token')
    writeFileSync(at('token'), 'made-up-token\n')
    const config = configure({
      pool: { 'max-1': { CLAUDE_CODE_OAUTH_TOKEN: { fromEnv: 'TEST_POOL_TOKEN' } } },
      medic: { CLAUDE_CODE_OAUTH_TOKEN: { fromFile: at('token') } },
    })
    const said = await overlap(config)
    expect(said).toMatch(/medic and pool account max-1 have the same secret, as CLAUDE_CODE_OAUTH_TOKEN/)
    expect(said).not.toContain('made-up')
    writeFileSync(at('token'), 'another-token\n')
    expect(await overlap(config)).toBe('')
  })

  it("law 1: a key in the healer's settings that the pool's substrate also has", async () => {
    login('medic', 'medic', { settings: { env: { ANTHROPIC_API_KEY: 'made-up-key' } } })
    exported('TEST_KEY', 'made-up-key')
    const config = configure({ substrate: { ANTHROPIC_API_KEY: { fromEnv: 'TEST_KEY' } } })
    expect(await overlap(config)).toMatch(/reserved account medic and substrate haiku have the same secret/)
  })

  it("law 1: the healer's fallback substrate on the key of the pool's", async () => {
    exported('TEST_KEY', 'made-up-key')
    exported('TEST_KEY_2', 'made-up-key')
    const config = configure({
      substrate: { ANTHROPIC_API_KEY: { fromEnv: 'TEST_KEY' } },
      reservedSubstrate: { ANTHROPIC_AUTH_TOKEN: { fromEnv: 'TEST_KEY_2' } },
    })
    expect(await overlap(config)).toMatch(/reserved substrate spare and substrate haiku have the same secret/)
  })

  it('law 1: a wake-up on a key of the pool, from another source', async () => {
    exported('TEST_KEY', 'made-up-key')
    writeFileSync(at('key'), 'made-up-key')
    const config = configure({
      substrate: { ANTHROPIC_API_KEY: { fromEnv: 'TEST_KEY' } },
      wakeUp: { ANTHROPIC_API_KEY: { fromFile: at('key') }, GITHUB_TOKEN: { fromFile: at('key') } },
    })
    expect(await overlap(config)).toMatch(
      /^[^\n]*wake-up of service bot and substrate haiku have the same secret[^\n]*$/,
    )
  })

  it('law 1: a credential file that links to one of the pool', async () => {
    rmSync(at('medic/.credentials.json'))
    linkSync(at('max-1/.credentials.json'), at('medic/.credentials.json'))
    expect(await overlap(configure())).toMatch(/medic and pool account max-1 both use .*\.credentials\.json/)
    rmSync(at('medic/.credentials.json'))
    symlinkSync(at('max-2/.credentials.json'), at('medic/.credentials.json'))
    expect(await overlap(configure())).toMatch(/medic and pool account max-2 both use .*\.credentials\.json/)
  })

  it('law 1: a credential store that is moved into one of the pool', async () => {
    const config = configure({ medic: { CLAUDE_SECURESTORAGE_CONFIG_DIR: at('max-1') } })
    expect(await overlap(config)).toMatch(/medic and pool account max-1 both use/)
  })

  it('a secret or file that cannot be read is reported, and proves nothing', async () => {
    writeFileSync(at('max-1/.claude.json'), '{ broken')
    const config = configure({ medic: { OTHER_KEY: { fromFile: at('gone') } } })
    expect(await overlap(config)).toBe('')
    const { unread } = await readDomains(config)
    expect(unread.sort()).toEqual([
      expect.stringMatching(/^max-1: .*\.claude\.json is not a configuration/),
      expect.stringMatching(/^medic: OTHER_KEY comes from the file .*gone, which cannot be read/),
    ])
  })
})

describe('law 4: two names of one login', () => {
  async function identities(config: Config): Promise<(string | null)[]> {
    const home = openHome({ OUTPOOL_HOME: at('state') })
    const host = new Host(home, config)
    await readLogins(host)
    for (const name of ['max-1', 'max-2'])
      expect(readFileSync(join(home.quota, `${name}.json`), 'utf8')).not.toContain('made-up')
    return ['max-1', 'max-2'].map((name) => host.quota.read(name).identity)
  }

  it('law 4: one token set over two logins makes them one account, and its label holds no part of it', async () => {
    mkdirSync(at('state'))
    writeFileSync(at('token'), 'made-up-token')
    const token = { CLAUDE_CODE_OAUTH_TOKEN: { fromFile: at('token') } }
    expect(await identities(configure({ pool: { 'max-1': token, 'max-2': token } }))).toEqual([
      'key of max-1',
      'key of max-1',
    ])
  })

  it('law 4: a stored login under two names, with a separate token beside it', async () => {
    login('max-2', 'max-1')
    const [one, two] = await identities(configure())
    expect(one).toBe(new StandInAccount('max-1').uuid)
    expect(two).toBe(one)
    writeFileSync(at('token'), 'made-up-token')
    const token = { CLAUDE_CODE_OAUTH_TOKEN: { fromFile: at('token') } }
    expect(await identities(configure({ pool: { 'max-2': token } }))).toEqual([one, 'key of max-2'])
  })
})
