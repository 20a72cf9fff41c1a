/** The flags of the programs of a host: what the command line passes on is what the program reads. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type HostProgram,
  commonFlags,
  parseProgram,
  programArguments,
  programFlags,
} from '../../config/hostPrograms.js'

const programs: HostProgram[] = [
  ...(['up', 'down', 'worker', 'doctor', 'trust', 'untrusted', 'agents', 'rehearse', 'demo'] as const),
]

describe('the flags of the programs of a host', () => {
  it.each(programs)('%s reads what it was started with', (program) => {
    const names = [...programFlags[program], ...commonFlags]
    const path = fc.string({ minLength: 1 }).filter((text) => !text.startsWith('-'))
    fc.assert(
      fc.property(fc.subarray(names), path, (given, file) => {
        const has = (name: string): boolean => given.some((one) => one.name === name)
        const args = programArguments(program, {
          option: (name) => (has(name) ? file : null),
          flag: has,
        })
        const parsed = parseProgram(args)
        expect(parsed?.program).toBe(program)
        for (const { name, value } of names) {
          expect(parsed?.given.option(name)).toBe(value !== null && has(name) ? file : null)
          expect(parsed?.given.flag(name)).toBe(value === null && has(name))
        }
      }),
    )
  })

  it('a flag of another program is refused', () => {
    expect(() => parseProgram(['up', '--mermaid'])).toThrow(TypeError)
  })

  it('without a program there is nothing to run', () => {
    expect(parseProgram([])).toBeNull()
    expect(parseProgram(['toString'])).toBeNull()
  })
})
