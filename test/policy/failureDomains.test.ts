import { describe, expect, it } from 'vitest'
import { normalizeGateway } from '../../policy/independence/envKinds.js'
import {
  type FailureDomain,
  type LoginStore,
  emptyDomain,
  acceptedOverlaps,
  duplicateLogins,
  loginLabel,
  sharedDomains,
} from '../../policy/independence/failureDomains.js'

const store = (path: string, overrides: Partial<LoginStore> = {}): LoginStore => ({
  path,
  id: null,
  above: [],
  ...overrides,
})
const key = (fingerprint: string, variable = 'ANTHROPIC_API_KEY', login = true) => ({
  ...{ fingerprint, variable, login },
})
const domain = (overrides: Partial<FailureDomain>): FailureDomain => ({
  ...emptyDomain('medic', 'reserved account'),
  ...{ stores: [store('/home/u/.medic', { id: '1:10' })], identity: 'm', email: 'm@example.com' },
  ...overrides,
})
const pooled = domain({
  ...{ name: 'max-1', what: 'pool account', stores: [store('/home/u/.max', { id: '1:20' })], identity: 'p' },
  ...{ email: 'P@example.com', credentials: ['env:A'], keys: [key('k')], gateway: 'http://gate' },
})

describe('law 1: out of the pool', () => {
  it.each<[string, string, Partial<FailureDomain>]>([
    ['a config dir', 'configDir', { stores: [store('/home/u/.max/')] }],
    ['a folder inside it', 'configDir', { stores: [store('/home/u/.max/inner')] }],
    ['a folder around it', 'configDir', { stores: [store('/home/u')] }],
    ['a folder mounted elsewhere', 'configDir', { stores: [store('/mnt/x', { id: '1:20' })] }],
    ['a folder inside a mount of it', 'configDir', { stores: [store('/mnt/x/y', { above: ['1:20'] })] }],
    ['a login', 'identity', { identity: 'p' }],
    ['an address', 'email', { email: 'p@Example.com' }],
    ['the source of a secret', 'credential', { credentials: ['env:A'] }],
    ['a secret from another source', 'key', { keys: [key('k', 'OTHER')] }],
  ])('law 1: an overlap by %s is found, and both sides are named', (_what, by, overrides) => {
    const found = sharedDomains([domain(overrides)], [pooled])
    expect(found.map((one) => one.by)).toContain(by)
    for (const { message } of found)
      expect(message).toMatch(
        /^rescuer shares the failure domain it heals: reserved account \S+ and pool account max-1 /,
      )
  })

  it('law 1: names, folders and addresses that merely look alike share nothing', () => {
    const near = domain({ stores: [store('/home/u/.max-medic', { id: '1:21' })], email: 'p@example.org' })
    expect(sharedDomains([near], [pooled])).toEqual([])
  })

  it('law 1: unknown identities prove no overlap', () => {
    const [ours, theirs] = [emptyDomain('a', 'reserved account'), emptyDomain('b', 'pool account')]
    expect(sharedDomains([ours], [theirs])).toEqual([])
    expect(acceptedOverlaps([ours], [theirs])).toEqual([])
  })

  it('law 11: a message holds no fingerprint', () => {
    const [found] = sharedDomains(
      [domain({ keys: [key('0123abcd')] })],
      [{ ...pooled, keys: [key('0123abcd')] }],
    )
    expect(found?.message).toMatch(/the same secret, as ANTHROPIC_API_KEY and ANTHROPIC_API_KEY$/)
    expect(found?.message).not.toContain('0123')
  })

  it('law 1: one gateway may be shared, unless neither side has a login for it', () => {
    const ours = domain({ gateway: 'http://gate' })
    expect(sharedDomains([ours], [pooled])).toEqual([])
    expect(acceptedOverlaps([ours], [pooled]).map(({ by }) => by)).toEqual(['gateway'])
    const keyless = (name: string, what: string): FailureDomain => ({
      ...emptyDomain(name, what),
      ...{ gateway: 'http://gate', keyless: true },
    })
    const [a, b] = [keyless('spare', 'reserved substrate'), keyless('local', 'substrate')]
    expect(sharedDomains([a], [b]).map(({ by }) => by)).toEqual(['gateway'])
    expect(sharedDomains([a], [pooled])).toEqual([])
  })

  it('law 1: seats of one organisation are reported, and are not one account', () => {
    const [ours, theirs] = [domain({ organisation: 'o' }), { ...pooled, organisation: 'o' }]
    expect(sharedDomains([ours], [theirs])).toEqual([])
    expect(acceptedOverlaps([ours], [theirs])[0]?.message).toMatch(
      /medic .* max-1 belong to one organisation/,
    )
  })
})

describe('law 4: accounts that are one login', () => {
  const account = (name: string, overrides: Partial<FailureDomain>): FailureDomain => ({
    ...emptyDomain(name, 'pool account'),
    ...overrides,
  })
  it.each<[string, Partial<FailureDomain>, Partial<FailureDomain>, boolean]>([
    ['one account uuid', { identity: 'x' }, { identity: 'x' }, true],
    ['two account uuids', { identity: 'x', email: 'e' }, { identity: 'y', email: 'e' }, false],
    ['one address where a uuid is missing', { identity: 'x', email: 'E' }, { email: 'e' }, true],
    ['nothing known', {}, {}, false],
    [
      'one token over two logins',
      { identity: 'x', keys: [key('t')] },
      { identity: 'y', keys: [key('t')] },
      true,
    ],
    ['a token over the same login', { identity: 'x', keys: [key('t')] }, { identity: 'x' }, false],
    [
      'two tokens over the same login',
      { identity: 'x', keys: [key('t')] },
      { identity: 'x', keys: [key('u')] },
      false,
    ],
    [
      'a secret that no login uses',
      { keys: [key('g', 'GITHUB_TOKEN', false)] },
      { keys: [key('g', 'GITHUB_TOKEN', false)] },
      false,
    ],
    [
      'one credential store',
      { stores: [store('/a', { id: '1:1' })] },
      { stores: [store('/b', { id: '1:1' })] },
      true,
    ],
  ])('%s', (_what, first, second, one) => {
    const accounts = [account('a', first), account('b', second)]
    expect(duplicateLogins(accounts)).toEqual(one ? [{ name: 'b', sameAs: 'a' }] : [])
  })

  it('law 11: the label that identifies an account to the pool holds no key', () => {
    const accounts = [
      account('a', { keys: [key('t')] }),
      account('b', { keys: [key('t')] }),
      account('c', { identity: 'x' }),
    ]
    expect(accounts.map((one) => loginLabel(one, accounts))).toEqual(['key of a', 'key of a', 'x'])
    expect(loginLabel(account('d', {}), accounts)).toBeNull()
  })
})

describe('gateways', () => {
  it.each([
    ['HTTPS://Gate.Example.com:443/v1/', 'https://gate.example.com/v1'],
    ['https://user:pass@gate.example.com/v1?x=1#y', 'https://gate.example.com/v1'],
    ['http://127.0.0.1:4000', 'http://localhost:4000'],
    ['http://localhost:4000/', 'http://localhost:4000'],
    ['http://[::1]:4000', 'http://localhost:4000'],
    ['http://gate.example.com.', 'http://gate.example.com'],
    ['gate', null],
  ])('%s', (written, normal) => expect(normalizeGateway(written)).toBe(normal))
})
