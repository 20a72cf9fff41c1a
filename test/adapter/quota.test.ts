/** What the adapter reads of an account's budgets and login from files and screens. No agent program runs here. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { agentNamed } from '../../agents/index.js'
import { statusLineWindows, usageTextWindows } from '../../agents/claude-code/limits/quota.js'
import { testPlaces, writeJson } from './places.js'

const adapter = agentNamed('claude-code')
const { place } = testPlaces()

describe('quota', () => {
  const at = '2026-11-22T03:00:00.000Z'

  it('of a status line: whichever windows it has', () => {
    const limits = {
      five_hour: { used_percentage: 104.2, resets_at: 1795296250 },
      seven_day: { used_percentage: 61 },
    }
    expect(statusLineWindows({ rate_limits: limits }, at)).toEqual([
      { name: 'five_hour', used: 1, resetsAt: '2026-11-21T21:24:10.000Z', readAt: at, source: 'status-line' },
      { name: 'seven_day', used: 0.61, resetsAt: null, readAt: at, source: 'status-line' },
    ])
    for (const odd of [null, {}, { rate_limits: null }, { rate_limits: { five_hour: null, other: 4 } }])
      expect(statusLineWindows(odd, at)).toEqual([])
  })

  it('of /usage as it is printed', () => {
    const text = [
      'You are currently using your subscription to power your Claude Code usage',
      'Current session: 33% used · resets Nov 22, 11am (UTC)',
      'Current week (all models): 13% used · resets Nov 27, 1am (UTC)',
      'Current week (Sonnet only): 2% used · resets Nov 27, 1am (UTC)',
      'Current week (something new here): 2% used',
    ].join('\n')
    expect(usageTextWindows(text, at).map(({ name, used, resetsAt }) => [name, used, resetsAt])).toEqual([
      ['five_hour', 0.33, '2026-11-22T11:00:00.000Z'],
      ['seven_day', 0.13, '2026-11-27T01:00:00.000Z'],
      ['seven_day_sonnet', 0.02, '2026-11-27T01:00:00.000Z'],
    ])
  })

  const cached = (accountUuid: string): object => ({
    fetchedAtMs: Date.parse(at),
    accountUuid,
    utilization: {
      five_hour: { utilization: 33, resets_at: '2026-11-22T06:00:00.123456+01:00' },
      seven_day: { utilization: 100, resets_at: '2026-11-27T01:00:00' },
      seven_day_opus: null,
      seven_day_sonnet: { utilization: 0, resets_at: null },
      seven_day_oauth_apps: { utilization: 100, resets_at: null },
      extra_usage: { is_enabled: true, utilization: 12 },
    },
  })

  it('of .claude.json: dated when the data was fetched, not when it was read', async () => {
    const target = place()
    writeJson(join(target.configDir, '.claude.json'), {
      oauthAccount: { accountUuid: 'u', emailAddress: 'a@example.com' },
      cachedUsageUtilization: cached('u'),
    })
    const base = { readAt: at, source: 'config-cache' }
    expect(await adapter.readIdentity(target)).toEqual({
      identity: 'u',
      email: 'a@example.com',
      windows: [
        { ...base, name: 'five_hour', used: 0.33, resetsAt: '2026-11-22T05:00:00.123Z' },
        { ...base, name: 'seven_day', used: 1, resetsAt: '2026-11-27T01:00:00.000Z' },
        { ...base, name: 'seven_day_sonnet', used: 0, resetsAt: null },
      ],
    })
  })

  it('law 4: numbers of an earlier login, or of a login that does not answer, are ignored', async () => {
    const target = place()
    const config = { oauthAccount: { accountUuid: 'u' }, cachedUsageUtilization: cached('another-login') }
    writeJson(join(target.configDir, '.claude.json'), config)
    expect(await adapter.readIdentity(target)).toMatchObject({ identity: 'u', windows: [] })
    const keyed = { ...target, env: { CLAUDE_CODE_OAUTH_TOKEN: 'made-up' } }
    expect(await adapter.readIdentity(keyed)).toEqual({ identity: null, email: null, windows: [] })
    expect(await adapter.readIdentity(place())).toEqual({ identity: null, email: null, windows: [] })
  })
})
