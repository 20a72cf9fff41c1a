/** `outpool rehearse`, as a person runs it, on the pinned program and on altered ones. */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import { expectations } from '../../agents/claude-code/expectations.js'
import { alterProgram } from '../../lab/alteredProgram.js'
import { agentProgram } from '../../lab/standin/cleanEnv.js'
import { byNight } from '../byNight.js'
import { newTestHome, type TestHome } from '../server/testHome.js'

const verdictSchema = z.object({
  version: z.string(),
  results: z.array(z.object({ name: z.string(), outcome: z.string(), why: z.string().nullable() })),
})

let place: TestHome
beforeEach(() => {
  place = newTestHome()
})
afterEach(() => place.remove())

const useProgram = (command: string) =>
  appendFileSync(place.config, `agents: { claude-code: { command: ${command} } }\n`)

const rehearse = async (...args: string[]) => {
  const { code, stdout, stderr } = await place.run(['rehearse', '--json', ...args])
  const { results } = verdictSchema.parse(JSON.parse(stdout))
  return { code, results, missed: results.filter(({ outcome }) => outcome !== 'held'), stderr }
}

byNight(
  'every expectation is checked and holds on the pinned version, and nothing of the person is touched',
  async () => {
    useProgram(agentProgram)
    expect((await place.run(['doctor'])).stdout).toContain('was never rehearsed here')
    const files = () =>
      readdirSync(place.dir, { recursive: true }).filter((path) => !String(path).startsWith('state'))
    const before = files()
    const { code, results, missed } = await rehearse()
    expect(missed).toEqual([])
    expect(code).toBe(0)
    expect(results.map(({ name }) => name)).toEqual(expectations.map(({ name }) => name))
    expect(files()).toEqual(before)
    const [file = ''] = readdirSync(join(place.home, 'rehearsals'))
    expect(file).toMatch(/^claude-code-\d+\.\d+\.\d+\.json$/)
    verdictSchema.parse(JSON.parse(readFileSync(join(place.home, 'rehearsals', file), 'utf8')))
    expect((await place.run(['doctor'])).stdout).toContain(`held all ${expectations.length} expectations`)
  },
)

it('what is believed of walls holds on the pinned version, in a part of the rehearsal as well', async () => {
  useProgram(agentProgram)
  const { code, results, missed } = await rehearse('--only', 'walls')
  expect([code, missed]).toEqual([0, []])
  expect(results.length).toBeGreaterThan(0)
})

it('a version that behaves differently is found out by what it lacks', async () => {
  const before = `[ "$1 $2" != "auth status" ] || { '${agentProgram}' "$@" | sed s/loggedIn/isLoggedIn/; exit; }`
  useProgram(alterProgram(place.dir, agentProgram, { before }))
  const { code, missed } = await rehearse('--only', 'accounts')
  const names = missed.map(({ name }) => name)
  expect(names).toContain('auth-status')
  expect(names).not.toContain('doctor-lists-settings')
  expect(missed[0]?.why).not.toBeNull()
  expect(code).toBe(1)
  // A part says too little about a version.
  expect(readdirSync(place.home)).not.toContain('rehearsals')
})

it('a program that is not there is one line, exit 1; a scene that is not there is wrong usage', async () => {
  useProgram('/nowhere/claude')
  const missing = await place.run(['rehearse'])
  expect(missing).toMatchObject({ code: 1, stdout: '' })
  expect(missing.stderr).toContain('there is no program /nowhere/claude')
  expect(await place.run(['rehearse', '--only', 'nothing'])).toMatchObject({ code: 2, stdout: '' })
})
