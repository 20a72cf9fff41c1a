/**
 * Law 15: every border of Outpool gets inputs that no well-behaved program would write, a million in all. Each either gives a bounded
 * answer, or throws the error of its border. To repeat a run: OUTPOOL_FUZZ_SEED, which is printed.
 */
import { mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Payload } from '@temporalio/common'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MailError } from '../../activities/tasks/mailError.js'
import { frameMail } from '../../activities/tasks/frameMail.js'
import { MailLedger } from '../../activities/tasks/mailLedger.js'
import { readBeat } from '../../activities/services/beatFile.js'
import { cachedWindows, statusLineWindows, usageTextWindows } from '../../agents/claude-code/limits/quota.js'
import { parseReset } from '../../agents/claude-code/limits/resetText.js'
import { classifyFailure } from '../../agents/claude-code/limits/wall.js'
import { parseReport } from '../../agents/claude-code/reports.js'
import { readDialog, showsPanel } from '../../agents/claude-code/screen/dialogs.js'
import {
  hasStashedDraft,
  readDraft,
  readInputMode,
  takesInput,
} from '../../agents/claude-code/screen/draft.js'
import { nextAnswerStep, readQuestion } from '../../agents/claude-code/screen/questions.js'
import { plainLines } from '../../agents/claude-code/screen/screen.js'
import {
  fingerprint,
  toCommandPaste,
  toWordsPaste,
  unwrapPaste,
} from '../../agents/claude-code/screen/text.js'
import { projectSettings } from '../../agents/claude-code/setup/projectSettings.js'
import { parseEntry } from '../../agents/claude-code/transcript/entries.js'
import { readTail } from '../../agents/claude-code/transcript/transcript.js'
import { startCodecServer, type CodecServer } from '../../client/ui/codecServer.js'
import { columnsOf, fit, oneLine } from '../../client/output/terminal.js'
import { ConfigError, SealKeyError } from '../../config/errors.js'
import { EventReader } from '../../config/events/files.js'
import { effectiveConfig } from '../../config/load/effective.js'
import { parseConfig } from '../../config/load/load.js'
import { SealingCodec } from '../../config/seal/codec.js'
import { KeyRing, readSealKeys, sealKeyOf } from '../../config/seal/keys.js'
import { readLastConfig } from '../../config/state/configInUse.js'
import { foundSchema } from '../../config/state/foundAgents.js'
import { type Home, openHome } from '../../config/state/home.js'
import { readEngine, readLive } from '../../config/state/liveFile.js'
import { TrustStore } from '../../config/state/trustStore.js'
import { untrustedSchema } from '../../config/state/untrustedFolders.js'
import { OpenPages } from '../../host/state/openPages.js'
import { QuotaStore } from '../../host/state/quotaStore.js'
import { SessionRecords } from '../../host/state/sessionRecords.js'
import { envelope, openEnvelope } from '../../policy/envelope.js'
import { parseJson, parseJsonAs } from '../../policy/parseJson.js'
import { printable, printableInColor, printableJson } from '../../policy/printable.js'
import { cleanMail, type Mail } from '../../policy/tasks/mail.js'
import { Fuzz } from './fuzz.js'

const seed = Number(process.env['OUTPOOL_FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const fixtures = new URL('../adapter/', import.meta.url)
const samplesIn = (folder: string, ending: string): string[] =>
  readdirSync(new URL(`${folder}/`, fixtures))
    .filter((name) => name.endsWith(ending))
    .map((name) => readFileSync(new URL(`${folder}/${name}`, fixtures), 'utf8'))

const screens = samplesIn('screens', '.ansi')
const lines = samplesIn('fixtures', '.jsonl').flatMap((text) =>
  text.split('\n').filter((line) => line.length > 0 && line.length < 20_000),
)
const entries = lines.map((line) => parseJson(line))
const at = '2026-11-30T12:00:00.000Z'

/** What a border makes of one input; its size is bounded by `mostOutput`. */
type Use = (fuzz: Fuzz, index: number) => unknown

interface Border {
  inputs: number
  use: Use
  /** The error with which the border refuses an input. */
  refusal?: abstract new (...args: never[]) => Error
  /** Characters of JSON. */
  mostOutput?: number
}

let dir: string
let home: Home
let codecServer: CodecServer
const key = sealKeyOf(Buffer.alloc(32, 7))
const codec = new SealingCodec(new KeyRing([key]), 'default')
let sealed: Payload

beforeAll(async () => {
  console.log(`OUTPOOL_FUZZ_SEED=${seed}`)
  dir = mkdtempSync(join(tmpdir(), 'outpool-borders-'))
  home = openHome({ OUTPOOL_HOME: join(dir, 'state') })
  mkdirSync(join(home.sessions, 'a'), { recursive: true })
  codecServer = await startCodecServer(codec, 'http://127.0.0.1:8233')
  const [payload] = await codec.encode([{ metadata: {}, data: Buffer.from('"x"') }])
  sealed = payload!
})
afterAll(async () => {
  await codecServer.close()
  rmSync(dir, { recursive: true, force: true })
})

const config = `pool: { name: main, moveAt: 95%, accounts: [{ name: max-1, configDir: ., ceiling: 80% }] }
reserved:
  - { name: medic, configDir: .. }
substrates: [{ name: key, model: haiku, env: { ANTHROPIC_API_KEY: { fromEnv: X } } }]
timing: { probeEvery: 5m }
tasks: [{ name: inbox, every: 5m, run: [x] }, { name: mail, every: 5m, imap: { host: h, user: u, password: { fromFile: p } }, deliverTo: a }]
services: [{ name: bot, run: [x], heartbeat: { file: b, staleAfter: 15m }, restarts: { limit: 3, within: 1h } }]
`
const mailOf = (fuzz: Fuzz): Mail => {
  const text = (): string =>
    fuzz.text(['boss@example.org', 'Subject', '--- 0 mail ends ---\nFrom: me', 'Hello.\nBye.'])
  const bytes = fuzz.int(2) === 0 ? null : fuzz.int(1_000)
  return {
    ...{
      id: 'x',
      messageId: text(),
      from: [text(), text()],
      to: [text()],
      subject: text(),
      date: null,
      text: text(),
      cut: false,
    },
    attachments: [{ name: text(), type: text(), bytes }],
  }
}

/** Writes the input to this file of ours, and reads it as the product does. */
const viaFile =
  (file: () => string, samples: readonly unknown[], read: () => unknown): Use =>
  (fuzz) => {
    mkdirSync(dirname(file()), { recursive: true, mode: 0o700 })
    writeFileSync(file(), fuzz.json(samples), { mode: 0o600 })
    return read()
  }

const window = { name: 'five_hour', used: 0.5, resetsAt: at, readAt: at, source: 'statusline' }
const launch = {
  fence: 1,
  place: { kind: 'account', name: 'max-1' },
  agent: 'claude-code',
  sessionId: 's',
  cwd: '/',
  process: null,
  transcriptFrom: 0,
}
const hookBody = {
  session_id: 's',
  transcript_path: '/t',
  source: 'startup',
  message: 'm',
  notification_type: 'permission_prompt',
  reason: 'other',
  error: 'rate_limit',
  rate_limits: { five_hour: { used_percentage: 5, resets_at: 1 } },
}
const events = [
  'SessionStart',
  'UserPromptSubmit',
  'Stop',
  'StopFailure',
  'Notification',
  'PermissionRequest',
  'SessionEnd',
  'StatusLine',
  'Other',
]

const borders: Record<string, Border> = {
  'screens of an agent': {
    inputs: 100_000,
    mostOutput: 100_000,
    use: (fuzz) => {
      const screen = fuzz.text(screens)
      const question = readQuestion(plainLines(screen))
      const step = question === null ? null : nextAnswerStep(question, fuzz.text(['1', 'words']), false)
      return [
        readDialog(screen, dir),
        showsPanel(screen),
        readDraft(screen),
        readInputMode(screen),
        takesInput(screen),
        hasStashedDraft(screen),
        step,
      ]
    },
  },
  'entries of a transcript': {
    inputs: 200_000,
    mostOutput: 200_000,
    use: (fuzz) => {
      const entry = parseEntry(fuzz.int(2) === 0 ? fuzz.json(entries) : fuzz.text(lines))
      return entry?.kind === 'failure' ? [entry, classifyFailure(entry.error)] : entry
    },
  },
  'files of transcripts': {
    inputs: 5_000,
    mostOutput: 2_000_000,
    use: async (fuzz) => {
      const file = join(dir, 'transcript.jsonl')
      writeFileSync(file, Array.from({ length: fuzz.int(10) }, () => fuzz.text(lines)).join('\n'))
      return readTail(file, fuzz.int(3) === 0 ? 0 : fuzz.int(2_000))
    },
  },
  'reports of hooks': {
    inputs: 150_000,
    mostOutput: 20_000,
    use: (fuzz) =>
      parseReport(
        fuzz.int(5) === 0 ? fuzz.text(['a.1.Stop.1-1']) : `a.1.${fuzz.pick(events)}.1-1`,
        fuzz.json([hookBody]),
        at,
      ),
  },
  'limits of an account': {
    inputs: 100_000,
    mostOutput: 20_000,
    use: (fuzz) => [
      statusLineWindows(parseJson(fuzz.json([hookBody])), at),
      cachedWindows(
        parseJson(
          fuzz.json([
            {
              accountUuid: 'a',
              fetchedAtMs: 1,
              utilization: { five_hour: { utilization: 5, resets_at: at } },
            },
          ]),
        ),
        'a',
      ),
      usageTextWindows(
        fuzz.text(['Current session: 5% used · resets 9:50pm (UTC)\nCurrent week (all models): 7% used']),
        at,
      ),
      parseReset(fuzz.text(['resets Nov 24, 3:53am (Europe/Berlin)', 'resets 21:50 (UTC)']), at),
    ],
  },
  'texts for an agent': {
    inputs: 50_000,
    mostOutput: 200_000,
    use: (fuzz) => {
      const text = fuzz.text([
        '/exit',
        'Hello\nthere',
        '<pasted_content id="1">\nx\n</pasted_content id="1">',
      ])
      return [toWordsPaste(text), toCommandPaste(text), unwrapPaste(text), fingerprint(text)]
    },
  },
  'texts that are printed': {
    inputs: 150_000,
    mostOutput: 1_000_000,
    use: (fuzz) => {
      const text = fuzz.text(['plain', '漢字 and 😀', '\u001b[31mred\u001b[0m'])
      return [
        printable(text),
        printableInColor(text),
        printableJson(text),
        oneLine(text),
        columnsOf(text),
        fit(text, fuzz.int(100)),
      ]
    },
  },
  mails: {
    inputs: 40_000,
    mostOutput: 30_000,
    use: (fuzz) => frameMail(cleanMail(mailOf(fuzz), 1_000), 'inbox', '0123456789abcdef'),
  },
  'the configuration': {
    inputs: 30_000,
    refusal: ConfigError,
    mostOutput: 500_000,
    use: (fuzz) => {
      const text = fuzz.text([config])
      parseConfig(text, join(dir, 'outpool.yaml'), { HOME: dir })
      return effectiveConfig(text)
    },
  },
  'payloads of messages': {
    inputs: 60_000,
    mostOutput: 50_000,
    use: async (fuzz) => {
      const flip = (bytes: Uint8Array): Buffer => {
        const copy = Buffer.from(bytes)
        for (let n = fuzz.int(3); n >= 0; n--) copy[fuzz.int(copy.length)] = fuzz.int(256)
        return copy.subarray(0, fuzz.int(4) === 0 ? fuzz.int(copy.length) : copy.length)
      }
      const metadata =
        fuzz.int(4) === 0
          ? { encoding: Buffer.from(fuzz.text(['binary/outpool-sealed'])) }
          : (sealed.metadata ?? {})
      const opened = await codec.decode([{ metadata, data: flip(sealed.data ?? new Uint8Array()) }])
      const args = parseJson(fuzz.json([envelope('signal send', 'session/a', [{ id: 'x', text: 'y' }])]))
      return [
        opened.length,
        openEnvelope(Array.isArray(args) ? args : [args], 'signal send', 'session/a').refused,
      ]
    },
  },
  'requests to the codec server': {
    inputs: 3_000,
    mostOutput: 2_000,
    use: async (fuzz) => {
      const url = new URL(codecServer.endpoint)
      const path =
        fuzz.int(3) === 0
          ? `/${encodeURIComponent(Buffer.from(fuzz.text([url.pathname])).toString())}`
          : `${url.pathname}/decode`
      const origin = fuzz.int(4) === 0 ? 'http://evil.example' : 'http://127.0.0.1:8233'
      const body = fuzz.json([{ payloads: [{ metadata: { encoding: 'YQ==' }, data: 'YQ==' }] }])
      const status = await statusOf(url, path, origin, body)
      // 431: Node itself refuses a path that is too long.
      expect([200, 400, 403, 404, 431]).toContain(status)
      return status
    },
  },
  'output of our own programs': {
    inputs: 40_000,
    mostOutput: 300_000,
    use: (fuzz) => [
      parseJsonAs(
        fuzz.json([[{ user: null, cwd: '/', found: [{ file: '/f', does: ['hooks'] }] }]]),
        untrustedSchema,
      ),
      parseJsonAs(fuzz.json([{ agents: [], stopped: [] }]), foundSchema),
    ],
  },
  'the settings of projects': {
    inputs: 4_000,
    mostOutput: 20_000,
    use: async (fuzz) => {
      const project = join(dir, 'project')
      mkdirSync(join(project, '.claude'), { recursive: true })
      writeFileSync(
        join(project, '.claude', 'settings.json'),
        fuzz.json([{ hooks: { Stop: [] }, env: { A: 'b' }, apiKeyHelper: 'x' }]),
      )
      return projectSettings(project)
    },
  },
  'heartbeats of services': {
    inputs: 8_000,
    mostOutput: 1_000_000,
    use: async (fuzz) => {
      const file = join(dir, 'bot.beat')
      writeFileSync(file, fuzz.json([{ by: 'bot', pid: 1, at, doing: 'x' }]))
      return readBeat(file)
    },
  },
  'records of sessions': {
    inputs: 15_000,
    mostOutput: 50_000,
    use: viaFile(
      () => join(home.sessions, 'a', 'record.json'),
      [{ launches: [launch], stoppedUpTo: 0, deliveries: {} }],
      () => {
        const records = new SessionRecords(home)
        return [records.newest('a'), records.places('a'), records.forks('a')]
      },
    ),
  },
  'readings of accounts': {
    inputs: 10_000,
    mostOutput: 50_000,
    use: viaFile(
      () => join(home.quota, 'max-1.json'),
      [{ windows: [window], walls: [], login: null }],
      () => new QuotaStore(home, () => undefined).read('max-1'),
    ),
  },
  'files that commands read': {
    inputs: 20_000,
    mostOutput: 100_000,
    use: (fuzz) => {
      const files: [string, unknown[], () => unknown][] = [
        [
          home.engineFile,
          [{ address: '127.0.0.1:1', namespace: 'default', uiUrl: null, pid: 1 }],
          () => readEngine(home),
        ],
        [home.liveFile, [{ at, sessions: {}, accounts: {} }], () => readLive(home)],
        [
          home.configInUse,
          [{ pid: 1, file: '/x', byContent: false, digest: 'd', timing: 't', takenAt: at, kept: null }],
          () => readLastConfig(home.dir),
        ],
        [
          join(home.dir, 'trust.json'),
          [{ '/x/outpool.yaml': 'digest' }],
          () => new TrustStore(home).digestOf('/x/outpool.yaml'),
        ],
        [
          join(home.dir, 'openPages.json'),
          [{ 'max-1': { page: 'trust' } }],
          () => Object.keys(new OpenPages(home)),
        ],
      ]
      const [file, samples, read] = fuzz.pick(files)
      return viaFile(() => file, samples, read)(fuzz, 0)
    },
  },
  'the record of delivered mails': {
    inputs: 7_000,
    refusal: MailError,
    mostOutput: 1_000,
    use: viaFile(
      () => join(dir, 'mail.json'),
      [{ since: at, view: '', settledTo: 1, delivered: ['a'] }],
      () => new MailLedger(join(dir, 'mail.json'), new Date(at)).settledTo,
    ),
  },
  'the file of keys': {
    inputs: 5_000,
    refusal: SealKeyError,
    mostOutput: 10_000,
    use: viaFile(
      () => home.sealKeys,
      [{ keys: [{ key: Buffer.alloc(32, 1).toString('base64url'), since: at }] }],
      () => readSealKeys(home).current.id,
    ),
  },
  'stored events': {
    inputs: 5_000,
    mostOutput: 100_000,
    use: viaFile(
      () => join(home.events, 'events-00000001.jsonl'),
      [{ v: 1, id: 'x', at, host: 'h', kind: 'session-paused', session: 'a' }],
      () => new EventReader(home).next(),
    ),
  },
}

function statusOf(url: URL, path: string, origin: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: url.hostname,
        port: url.port,
        path,
        method: 'POST',
        headers: { origin, 'content-length': Buffer.byteLength(body) },
      },
      (response) => response.resume().once('end', () => resolve(response.statusCode ?? 0)),
    )
    sent.once('error', reject)
    sent.end(body)
  })
}

it('law 15: a million inputs in all', () => {
  expect(Object.values(borders).reduce((sum, { inputs }) => sum + inputs, 0)).toBeGreaterThanOrEqual(
    1_000_000,
  )
})

describe.each(Object.entries(borders))(
  'law 15: %s',
  (name, { inputs, use, refusal, mostOutput = 10_000 }) => {
    it(
      `hold against ${inputs} inputs`,
      async () => {
        let answered = 0
        for (let index = 0; index < inputs; index++) {
          // Each input has its own seed, so that one can be tried alone.
          const own = (seed + index * 7_919) >>> 0
          try {
            const output = JSON.stringify([await use(new Fuzz(own), index)])
            if (output.length > mostOutput) throw new Error(`its answer has ${output.length} characters`)
            answered += 1
          } catch (error) {
            if (refusal !== undefined && error instanceof refusal) continue
            throw new Error(`${name}: input ${index} of seed ${seed} (new Fuzz(${own}))`, { cause: error })
          }
        }
        // A border that refuses everything has not been tried.
        expect(answered).toBeGreaterThan(0)
      },
      30 * 60_000,
    )
  },
)
