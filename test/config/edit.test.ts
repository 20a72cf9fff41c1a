/** Edits of outpool.yaml: the rest of the file stays as the person wrote it. */
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { addAccount, drainAccount, enableAccount, removeAccount } from '../../config/edit/accounts.js'
import { effectiveConfig } from '../../config/load/effective.js'

const fileSchema = z.looseObject({ pool: z.object({ accounts: z.array(z.record(z.string(), z.unknown())) }) })
const accountsIn = (text: string) => fileSchema.parse(parse(text)).pool.accounts

const written = `# Mine. Do not touch.
pool:
  name: main
  moveAt: 95%                # leave here


  accounts:
    - { name: max-1, configDir: ~/.claude-max-1 }   # the old one
    # this one is shared
    - { name: max-2, configDir: "~/.claude max 2", ceiling: 80% }

reserved:
  - { name: medic, configDir: ~/.claude-medic }

# substrates: none yet
timing: {   probeEvery: 5m }
`

const without = (text: string, line: string): string => text.replace(`${line}\n`, '')
const added = { name: 'max-3', configDir: '~/.claude-max-3', ceiling: null, maxSessions: null }

describe('an edit of the accounts', () => {
  it('adds one line, in the form of the others', () => {
    const text = addAccount(written, { ...added, ceiling: '80%', maxSessions: 4 }, 'pool')
    const line = '    - { name: max-3, configDir: ~/.claude-max-3, ceiling: 80%, maxSessions: 4 }'
    expect(text.split('\n')).toContain(line)
    expect(without(text, line)).toBe(written)
  })

  it('adds a list if there is none, and leaves the rest alone', () => {
    const bare = written.replace(/reserved:\n.*\n\n/, '')
    const text = addAccount(bare, added, 'reserved')
    expect(parse(text)).toEqual({
      ...parse(bare),
      reserved: [{ name: 'max-3', configDir: '~/.claude-max-3' }],
    })
    expect(text.startsWith(bare.trimEnd())).toBe(true)
  })

  it('changes only the line of the account that is drained, and back', () => {
    const drained = drainAccount(written, 'max-2')
    expect(drained).toBe(written.replace('ceiling: 80% }', 'ceiling: 80%, drain: true }'))
    expect(enableAccount(drained, 'max-2')).toBe(written)
  })

  it('enables an account that has room for no session', () => {
    const none = written.replace('ceiling: 80%', 'maxSessions: 0')
    expect(accountsIn(enableAccount(none, 'max-2'))[1]).toEqual({
      ...{ name: 'max-2', configDir: '~/.claude max 2' },
    })
  })

  it('removes one line, and the whole list with its last account', () => {
    const line = '    - { name: max-1, configDir: ~/.claude-max-1 }   # the old one'
    expect(removeAccount(written, 'max-1')).toBe(without(written, line))
    expect(parse(removeAccount(written, 'medic'))).not.toHaveProperty('reserved')
  })

  it.each([
    ['of a name that is not there', () => removeAccount(written, 'max-9'), 'there is no account max-9'],
    [
      'that would leave the pool empty',
      () => removeAccount(removeAccount(written, 'max-1'), 'max-2'),
      'max-2 is the only account of the pool',
    ],
    ['that drains the healer', () => drainAccount(written, 'medic'), 'medic is reserved for the healer'],
  ])('is refused: one %s', (_what, edit, problem) => {
    expect(edit).toThrow(problem)
  })

  it.each([
    ['block style', 'pool:\n    accounts:\n        -   name: a\n            configDir: a   # first\n'],
    ['lists that are not indented', 'pool:\n  accounts:\n  - name: a\n    configDir: a  # first\n'],
    ['one line', 'pool: { accounts: [{ name: a, configDir: a }] }  # first\n'],
    ['Windows line ends', 'pool:\r\n  accounts:\r\n    - { name: a, configDir: a } # first\r\n'],
    ['no end of line at the end', 'pool:\n  accounts:\n    - { name: a, configDir: a } # first'],
  ])('keeps comments and means the same in %s', (_style, text) => {
    for (const edited of [addAccount(text, added, 'pool'), drainAccount(text, 'a')]) {
      expect(edited).toContain('# first')
      expect(accountsIn(edited)[0]?.['name']).toBe('a')
    }
    expect(accountsIn(addAccount(text, added, 'pool'))).toHaveLength(2)
    expect(accountsIn(drainAccount(text, 'a'))[0]?.['drain']).toBe(true)
  })
})

it('law 11: the effective configuration has every default, and no secret', () => {
  const text = `pool: { accounts: [{ name: a, configDir: a, env: { CLAUDE_CODE_OAUTH_TOKEN: sk-1, TZ: UTC } }] }
notices: { to: [{ name: me, ntfy: sk-2, token: { fromEnv: NTFY } }] }
tasks: [{ name: inbox, every: 5m, imap: { host: h, user: u, password: sk-3 }, deliverTo: a }]
`
  const effective = effectiveConfig(text)
  expect(effective).toMatchObject({
    pool: { name: 'main', accounts: [{ name: 'a', ceiling: '100%', drain: false, env: { TZ: 'UTC' } }] },
    timing: { probeEvery: '5m', keysQuiet: '30s' },
    notices: { settleFor: '30s', to: [{ token: { fromEnv: 'NTFY' } }] },
    tasks: [{ imap: { mailbox: 'INBOX', password: '(hidden)' } }],
    services: [],
  })
  expect(JSON.stringify(effective)).not.toContain('sk-')
})
