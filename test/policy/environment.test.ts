import { describe, expect, it } from 'vitest'
import { boundedText, mapTexts } from '../../policy/boundedText.js'
import { passedEnvironment } from '../../policy/environment.js'

describe('law 11: what a program gets of the environment of Outpool', () => {
  const env = {
    PATH: '/bin',
    LC_TIME: 'C',
    XDG_RUNTIME_DIR: '/run/user/1',
    https_proxy: 'http://proxy',
    SSH_AUTH_SOCK: '/agent',
    MAIL_PASSWORD: 'secret',
    GH_TOKEN: 'token',
    GIT_CONFIG_VALUE_0: 'Authorization: token',
    MY_APP_ONE: '1',
    GONE: undefined,
  }
  const usual = ['PATH', 'LC_TIME', 'XDG_RUNTIME_DIR', 'https_proxy', 'SSH_AUTH_SOCK']

  it('is the usual variables, and nothing else', () => {
    expect(Object.keys(passedEnvironment(env))).toEqual(usual)
  })

  it('is what the configuration adds, by name and by beginning', () => {
    const pass = ['GH_TOKEN', 'MY_APP_*', 'MISSING']
    expect(Object.keys(passedEnvironment(env, { pass }))).toEqual([...usual, 'GH_TOKEN', 'MY_APP_ONE'])
  })

  it('is never a variable that the configuration takes a secret from, even if it is on a list', () => {
    const secrets = new Set(['MAIL_PASSWORD', 'GH_TOKEN', 'SSH_AUTH_SOCK'])
    const passed = passedEnvironment(env, { pass: ['*', 'MAIL_PASSWORD', 'GH_TOKEN'], secrets })
    for (const name of secrets) expect(passed).not.toHaveProperty(name)
  })
})

describe('law 15: a text is bounded', () => {
  it('to its beginning, with a mark, and with no character cut in two', () => {
    expect(boundedText('short', 5)).toBe('short')
    expect(boundedText('longer', 5)).toBe('long…')
    for (let max = 2; max < 8; max++) {
      const cut = boundedText('😀😀😀😀😀', max)
      expect(cut.length).toBeLessThanOrEqual(max)
      expect(Buffer.from(cut).toString()).toBe(cut)
    }
  })

  it('wherever it is in plain data', () => {
    const data = { a: ['xx', { b: 'xx', c: 1, d: null }], e: true }
    expect(mapTexts(data, () => 'y')).toEqual({ a: ['y', { b: 'y', c: 1, d: null }], e: true })
    expect(mapTexts(undefined, () => 'y')).toBeUndefined()
  })
})
