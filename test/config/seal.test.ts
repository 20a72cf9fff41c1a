import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultPayloadConverter, type Payload } from '@temporalio/common'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keyIdOf, SealingCodec } from '../../config/seal/codec.js'
import {
  ensureSealKeys,
  idOfEntry,
  KeyRing,
  readKeyEntries,
  readSealKeys,
  sealKeyOf,
  type SealKeys,
} from '../../config/seal/keys.js'
import { LiveSealKeys } from '../../config/seal/liveKeys.js'
import { addSealKey, removeSealKeys, useSealKey } from '../../config/seal/rotateKeys.js'
import { keyIdOfText, openText, sealAsText } from '../../config/seal/sealedText.js'
import { SealKeyError } from '../../config/errors.js'
import { type Home, openHome } from '../../config/state/home.js'
import { readable, unprovenMark } from '../../policy/envelope.js'

let dir: string
let home: Home

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'outpool-seal-'))
  home = openHome({ OUTPOOL_HOME: join(dir, 'state') })
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('law 15: the keys of a fleet', () => {
  it('law 15: are made once, private, and stay the same', () => {
    const before = process.umask(0o000)
    try {
      const made = ensureSealKeys(home)
      expect(statSync(home.sealKeys).mode & 0o777).toBe(0o600)
      expect(ensureSealKeys(home)).toEqual(made)
      expect(readSealKeys(home)).toEqual(made)
      expect(made.current.bytes).toHaveLength(32)
      expect(readdirSync(home.dir).filter((name) => name.includes('.tmp'))).toEqual([])
    } finally {
      process.umask(before)
    }
  })

  it('law 15: while hosts change to a newer one, each opens what any of them seals, without a restart', async () => {
    const other = openHome({ OUTPOOL_HOME: join(dir, 'other') })
    ensureSealKeys(home)
    const copy = () => copyFileSync(home.sealKeys, other.sealKeys)
    copy()
    const running = [home, other].map((one) => new SealingCodec(new LiveSealKeys(one), 'default'))
    const [before] = await running[0]!.encode([payloadOf('before')])
    const id = addSealKey(home, new Date('2026-01-01T00:00:00.000Z'))
    expect(readSealKeys(home).current.id).toBe(keyIdOf(before))
    copy()
    useSealKey(home, id, new Date())
    expect(readSealKeys(home).current.id).toBe(id)
    expect(statSync(home.sealKeys).mode & 0o777).toBe(0o600)
    // A command seals with the new key at once; the workers have started before there was one.
    const [after] = await new SealingCodec(new LiveSealKeys(home), 'default').encode([payloadOf('after')])
    expect(keyIdOf(after)).toBe(id)
    for (const codec of running)
      expect((await codec.decode([before!, after!])).map(valueOf)).toEqual(['before', 'after'])
    useSealKey(other, id, new Date())
    for (const codec of running)
      await expect
        .poll(async () => (await codec.encode([payloadOf('later')])).map(keyIdOf), { timeout: 30_000 })
        .toEqual([id])
  })

  it('law 15: is known to have sealed until another took its place, and goes only if it is not the current one', () => {
    const { id: first } = ensureSealKeys(home).current
    const second = addSealKey(home, new Date('2026-01-01T00:00:00.000Z'))
    const entries = () =>
      readKeyEntries(home).map((entry) => [idOfEntry(entry), entry.until ?? null] as const)
    expect(entries()).toEqual([
      ...[
        [first, null],
        [second, null],
      ],
    ])
    useSealKey(home, second, new Date('2026-02-01T00:00:00.000Z'))
    useSealKey(home, second, new Date('2026-02-02T00:00:00.000Z'))
    expect(entries()).toEqual([
      ...[
        [second, null],
        [first, '2026-02-01T00:00:00.000Z'],
      ],
    ])
    useSealKey(home, first, new Date('2026-03-01T00:00:00.000Z'))
    expect(entries()).toEqual([
      ...[
        [first, null],
        [second, '2026-03-01T00:00:00.000Z'],
      ],
    ])
    removeSealKeys(home, [first, second])
    expect(entries()).toEqual([[first, null]])
    expect(statSync(home.sealKeys).mode & 0o777).toBe(0o600)
  })

  it('law 15: seal texts for files of this host, which open only as they were', async () => {
    const keys = ensureSealKeys(home)
    const text = await sealAsText(keys, 'default', { state: 'planted words' })
    expect(Buffer.from(text, 'base64').toString('latin1')).not.toContain('planted')
    expect(openText(keys, 'default', text)).toEqual({ state: 'planted words' })
    expect(keyIdOfText(text)).toBe(keys.current.id)
    expect(openText(keys, 'other', text)).toBeNull()
    expect(openText(new KeyRing([sealKeyOf(randomBytes(32))]), 'default', text)).toBeNull()
    const bytes = Buffer.from(text, 'base64')
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    for (const broken of [bytes.toString('base64'), text.slice(0, 40), '', 'x'])
      expect(openText(keys, 'default', broken)).toBeNull()
  })

  it('law 15: a key that this host lacks is not used, and a broken file leaves a process with the keys it has', async () => {
    ensureSealKeys(home)
    expect(() => useSealKey(home, '0123456789ab', new Date())).toThrow(/has no key 0123456789ab/)
    const codec = new SealingCodec(new LiveSealKeys(home), 'default')
    const sealed = await codec.encode([payloadOf('before')])
    const foreign = await new SealingCodec(keysOf(first), 'default').encode([payloadOf('x')])
    writeFileSync(home.sealKeys, 'broken')
    expect((await codec.decode(foreign)).map(valueOf)).toEqual([unprovenMark('unknown key')])
    expect((await codec.decode(sealed)).map(valueOf)).toEqual(['before'])
  })

  it.each<[string, () => void]>([
    ['missing', () => rmSync(home.sealKeys)],
    ['readable by others', () => chmodSync(home.sealKeys, 0o644)],
    [
      'a link',
      () => {
        writeFileSync(join(dir, 'target'), readFileSync(home.sealKeys), { mode: 0o600 })
        rmSync(home.sealKeys)
        symlinkSync(join(dir, 'target'), home.sealKeys)
      },
    ],
    ['not JSON', () => writeFileSync(home.sealKeys, 'x')],
    [
      'of short keys',
      () =>
        writeFileSync(
          home.sealKeys,
          JSON.stringify({ keys: [{ key: 'AAAA', since: '2026-01-01T00:00:00.000Z' }] }),
        ),
    ],
    ['without keys', () => writeFileSync(home.sealKeys, '{"keys":[]}')],
  ])('law 15: a file that is %s is refused, with what to do', (_, spoil) => {
    ensureSealKeys(home)
    spoil()
    const error = thrownBy(() => readSealKeys(home))
    expect(error).toBeInstanceOf(SealKeyError)
    expect(error).toMatchObject({ exitCode: 2 })
    expect((error as SealKeyError).message).toContain(home.sealKeys)
  })
})

function thrownBy(use: () => unknown): unknown {
  try {
    use()
    return null
  } catch (error) {
    return error
  }
}

const keysOf = (current: Buffer, ...more: Buffer[]): SealKeys =>
  new KeyRing([sealKeyOf(current), ...more.map(sealKeyOf)])
const first = randomBytes(32)
const second = randomBytes(32)
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value)
const valueOf = (payload: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(payload!)

describe('law 15: a sealed payload', () => {
  it('law 15: opens to what was sealed, and shows nothing of it', async () => {
    const codec = new SealingCodec(keysOf(first), 'default')
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const [sealed] = await codec.encode([payloadOf(value)])
        expect(keyIdOf(sealed)).toBe(sealKeyOf(first).id)
        const [opened] = await codec.decode([sealed!])
        expect(valueOf(opened)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
    const [sealed] = await codec.encode([payloadOf({ prompt: 'Remember the word heron.' })])
    expect(Buffer.from(sealed!.data!).toString('latin1')).not.toContain('heron')
  })

  it('law 15: opens after a rotation, and not with other keys or in another namespace', async () => {
    const [sealed] = await new SealingCodec(keysOf(first), 'default').encode([payloadOf('x')])
    const opened = async (keys: SealKeys, namespace = 'default'): Promise<unknown> =>
      valueOf((await new SealingCodec(keys, namespace).decode([sealed!]))[0])
    expect(await opened(keysOf(second, first))).toBe('x')
    expect(await opened(keysOf(second))).toEqual(unprovenMark('unknown key'))
    expect(await opened(keysOf(first), 'other')).toEqual(unprovenMark('unsealed'))
  })

  it('law 15: that was changed anywhere, or is not sealed, proves nothing and throws nothing', async () => {
    const codec = new SealingCodec(keysOf(first), 'default')
    const [sealed] = await codec.encode([payloadOf({ a: 1 })])
    const data = Buffer.from(sealed!.data!)
    const changed = Array.from(data, (_, index) => {
      const copy = Buffer.from(data)
      copy.writeUInt8(copy.readUInt8(index) ^ 1, index)
      return { ...sealed!, data: copy }
    })
    const cut = Array.from(data, (_, length) => ({ ...sealed!, data: data.subarray(0, length) }))
    const odd: Payload[] = [{}, { metadata: {} }, { data }, { metadata: sealed!.metadata! }, payloadOf('x')]
    const opened = await codec.decode([...changed, ...cut, ...odd])
    for (const one of opened) expect(valueOf(one)).toEqual(unprovenMark('unsealed'))
  })

  it('law 15: only a text that is marked as readable stays readable', async () => {
    const codec = new SealingCodec(keysOf(first), 'default')
    const [summary, words] = await codec.encode([payloadOf(readable('watch')), payloadOf('watch')])
    expect(valueOf(summary)).toBe('watch')
    expect(keyIdOf(words)).not.toBeNull()
    // What the engine could have changed is not acted on.
    expect(valueOf((await codec.decode([summary!]))[0])).toEqual(unprovenMark('unsealed'))
  })
})
