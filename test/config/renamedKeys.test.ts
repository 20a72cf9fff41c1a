/** Keys of outpool.yaml that had another name: each is refused with the name that it has now. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../config/errors.js'
import { parseConfig } from '../../config/load/load.js'

let home: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'outpool-renamed-'))
  mkdirSync(join(home, 'login'))
})
afterAll(() => rmSync(home, { recursive: true }))

const pool = 'pool: { accounts: [{ name: max-1, configDir: login }] }\n'
const imap = (key: string) =>
  `tasks:\n  - { name: inbox, every: 5m, deliverTo: docs, imap: { host: h, user: u, password: { fromFile: p }, ${key} } }\n`
const service = (section: string) => `services:\n  - { name: bot, run: [bot], ${section} }\n`

/** Where a key belongs: the section around it, from the text of the key. */
const sections: Record<string, (key: string) => string> = {
  timing: (key) => `timing: { ${key} }\n`,
  'substrates[0]': (key) => `substrates:\n  - { name: key, ${key} }\n`,
  'reservedSubstrates[0]': (key) => `reservedSubstrates:\n  - { name: key, ${key} }\n`,
  notices: (key) => `notices: { ${key} }\n`,
  drill: (key) => `drill: { ${key} }\n`,
  'keep.sessions': (key) => `keep: { sessions: { ${key} } }\n`,
  'keep.forks': (key) => `keep: { forks: { ${key} } }\n`,
  'keep.handOvers': (key) => `keep: { handOvers: { ${key} } }\n`,
  'keep.incidents': (key) => `keep: { incidents: { ${key} } }\n`,
  'tasks[0]': (key) => `tasks:\n  - { name: sweep, every: 1h, run: [sweep], ${key} }\n`,
  'tasks[0].imap': imap,
  'services[0].busyCheck': (key) => service(`busyCheck: { files: [log], ${key} }`),
  'services[0].restarts': (key) => service(`restarts: { ${key} }`),
  'services[0].wakeUp': (key) => service(`wakeUp: { prompt: look after it, ${key} }`),
}

const renamed: [section: string, old: string, present: string, value: string][] = [
  ['timing', 'backgroundWait', 'backgroundWaitMax', '1m'],
  ['timing', 'lookEvery', 'pollEvery', '1s'],
  ['timing', 'retryAtMost', 'retryMaxInterval', '1m'],
  ['timing', 'restAtMost', 'failureBackoffMax', '1m'],
  ['timing', 'crashPause', 'crashBackoff', '1s'],
  ['timing', 'waveEvery', 'admissionInterval', '1s'],
  ['timing', 'leftOutFor', 'failedStartExclusion', '1m'],
  ['timing', 'placeKept', 'failbackReservation', '1m'],
  ['timing', 'pageStands', 'startPageExclusion', '1m'],
  ['timing', 'movesAtOnce', 'maxConcurrentMoves', '3'],
  ['substrates[0]', 'cooldownAtMost', 'cooldownMax', '1h'],
  ['reservedSubstrates[0]', 'cooldownAtMost', 'cooldownMax', '1h'],
  ['notices', 'settle', 'settleFor', '10s'],
  ['notices', 'retryAtMost', 'retryMaxInterval', '1h'],
  ['drill', 'within', 'timeout', '10m'],
  ...['sessions', 'forks', 'handOvers', 'incidents'].flatMap((kind): typeof renamed => [
    [`keep.${kind}`, 'for', 'maxAge', '10d'],
    [`keep.${kind}`, 'atMost', 'maxCount', '10'],
  ]),
  ['tasks[0]', 'maxOutput', 'maxOutputSize', '1M'],
  ['tasks[0].imap', 'atMost', 'maxMails', '5'],
  ['tasks[0].imap', 'maxText', 'maxTextSize', '64K'],
  ['services[0].busyCheck', 'atMost', 'maxBusy', '1h'],
  ['services[0].restarts', 'pause', 'backoff', '1s'],
  ['services[0].restarts', 'pauseAtMost', 'backoffMax', '1h'],
  ['services[0].wakeUp', 'beatWithin', 'heartbeatWithin', '1m'],
  ['services[0].wakeUp', 'retryAtMost', 'retryMaxInterval', '1h'],
  ['services[0].wakeUp', 'verifyWithin', 'verifyTimeout', '1m'],
]

const fileWith = (section: string, key: string, value: string): string =>
  pool + (sections[section]?.(`${key}: ${value}`) ?? '')

function refusal(text: string): ConfigError {
  try {
    parseConfig(text, join(home, 'outpool.yaml'), { HOME: home })
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

describe('a key that has another name now', () => {
  it.each(renamed)('%s.%s is called %s', (section, old, present, value) => {
    const text = fileWith(section, old, value)
    const { issues, exitCode } = refusal(text)
    const before = text.slice(0, text.lastIndexOf(`${old}:`)).split('\n')
    expect(exitCode).toBe(2)
    expect(issues).toEqual([
      {
        ...{
          file: join(home, 'outpool.yaml'),
          line: before.length,
          column: (before.at(-1) ?? '').length + 1,
        },
        problem: `${section}.${old} is now called ${present}`,
        remedy: `write ${present} instead of ${old}`,
      },
    ])
    const corrected = fileWith(section, present, value)
    expect(() => parseConfig(corrected, join(home, 'outpool.yaml'), { HOME: home })).not.toThrow()
  })
})
