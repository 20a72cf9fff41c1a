/** A configuration in which the healer shares a login or a secret with what it heals is refused. */
import { describe, expect, it } from 'vitest'
import { configHome, valid } from './configHome.js'

const { faultsOf, brief } = configHome()

describe('law 1: by path and by secret', () => {
  const both = (pool: string, reserved: string) => `pool:
  accounts:
    - { name: max-1, ${pool} }
reserved:
  - { name: medic, ${reserved} }
`
  it.each([
    ['the same path', 'configDir: ~/.claude-max-1', 'configDir: ~/.claude-max-1'],
    ['a symbolic link', 'configDir: ~/.claude-max-1', 'configDir: ~/link-to-max-1'],
    [
      'two names of one file with a secret',
      'configDir: ~/.claude-max-1, env: { A: { fromFile: ~/a-file } }',
      'configDir: ~/.claude-medic, env: { B: { fromFile: ~/link-to-a-file } }',
    ],
    ['another writing', 'configDir: ~/.claude-max-1', 'configDir: ./elsewhere/../.claude-max-1/'],
    [
      'the same secret by reference',
      'configDir: ~/.claude-max-1, env: { A: { fromEnv: KEY } }',
      'configDir: ~/.claude-medic, env: { B: { fromEnv: KEY } }',
    ],
    [
      'the same secret written down',
      'configDir: ~/.claude-max-1, env: { ANTHROPIC_API_KEY: very-secret }',
      'configDir: ~/.claude-medic, env: { ANTHROPIC_API_KEY: very-secret }',
    ],
  ])('law 1: %s', (_what, pool, reserved) => {
    const [fault] = faultsOf(both(pool, reserved))
    expect(fault?.problem).toMatch(/^rescuer shares the failure domain it heals: .*medic.*max-1/)
    expect(fault?.line).toBe(5)
    expect(fault?.problem).not.toContain('very-secret')
  })

  it('law 1: a substrate of the pool counts as part of the pool', () => {
    const [fault] = faultsOf(`${valid}reserved:
  - { name: medic, configDir: ~/.claude-medic, env: { ANTHROPIC_API_KEY: { fromEnv: KEY } } }
substrates:
  - { name: key, env: { ANTHROPIC_API_KEY: { fromEnv: KEY } } }
`)
    expect(fault?.problem).toMatch(/^rescuer shares the failure domain it heals: .*medic.*key/)
  })

  it('law 1: a fallback of the healer that takes its key from the same source as a substrate', () => {
    const [fault] = faultsOf(`${valid}substrates:
  - { name: key, env: { ANTHROPIC_API_KEY: { fromEnv: KEY } } }
reservedSubstrates:
  - { name: medic-key, env: { ANTHROPIC_API_KEY: { fromEnv: KEY } } }
`)
    expect(fault?.problem).toMatch(
      /^rescuer shares the failure domain it heals: reserved substrate medic-key and substrate key/,
    )
  })

  it("law 1: a token in the agent's env overrides every login, so that all accounts are one", () => {
    const text = (agentEnv: string) =>
      `${both('configDir: ~/.claude-max-1', 'configDir: ~/.claude-medic')}agents: { claude-code: { env: ${agentEnv} } }\n`
    const [fault] = faultsOf(text('{ CLAUDE_CODE_OAUTH_TOKEN: { fromEnv: TOKEN } }'))
    expect(fault?.problem).toMatch(
      /^rescuer shares .* medic and .* max-1 both take their secret from env:TOKEN$/,
    )
    expect(brief(text('{ GITHUB_TOKEN: { fromEnv: TOKEN }, ANTHROPIC_BASE_URL: { fromEnv: G } }'))).toEqual(
      [],
    )
  })

  it('law 1: an entry that overrides that token has a separate login again', () => {
    const text = `${both('configDir: ~/.claude-max-1', 'configDir: ~/.claude-medic, env: { ANTHROPIC_API_KEY: { fromEnv: MEDIC } }')}agents: { claude-code: { env: { ANTHROPIC_API_KEY: { fromEnv: POOL } } } }\n`
    expect(faultsOf(text)).toEqual([])
  })

  it("law 1: a wake-up with a key of the pool, and a task with the healer's", () => {
    const key = 'env: { ANTHROPIC_API_KEY: { fromEnv: KEY } }'
    const service = `services:
  - { name: bot, run: [bot], wakeUp: { prompt: hello, ${key} } }
`
    const [wakeUp] = faultsOf(`${valid.replace(' }', `, ${key} }`)}${service}`)
    expect(wakeUp?.problem).toMatch(/wake-up of service bot and pool account max-1 both take .* env:KEY$/)
    const [task] = faultsOf(`${both('configDir: ~/.claude-max-1', `configDir: ~/.claude-medic, ${key}`)}tasks:
  - { name: garden, every: 3h, agent: claude-code, cwd: ., prompt: x, ${key} }
`)
    expect(task?.problem).toMatch(/reserved account medic and task garden both take .* env:KEY$/)
  })

  it('law 1: substrates of both sides that leave the login to one gateway', () => {
    const text = `${valid}substrates: [{ name: local, env: { ANTHROPIC_BASE_URL: 'http://localhost:4000' } }]
reservedSubstrates: [{ name: spare, env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:4000/' } }]
`
    expect(faultsOf(text)[0]?.problem).toMatch(/spare and substrate local both draw on whatever login/)
  })

  it('law 1: nothing is reported about separate logins', () => {
    expect(faultsOf(both('configDir: ~/.claude-max-1', 'configDir: ~/.claude-medic'))).toEqual([])
  })

  it('law 4: two accounts of the pool in one config dir are one login', () => {
    const text = `${valid}    - { name: max-2, configDir: ~/link-to-max-1 }\n`
    expect(brief(text)).toEqual(['4:33 max-2 has the config dir of max-1, so both are the same login'])
  })
})
