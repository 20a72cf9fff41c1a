/** The manual page has what `--help` has. */
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { commandTree } from '../../client/commandTree/commandTree.js'
import { manPage } from '../../client/manPage/manPage.js'
import { hasDebianProgram } from '../../lab/machine/debianProgram.js'

const formatter = '/usr/bin/groff'
const page = manPage(commandTree, '1.2.3')
const plain = page.replaceAll('\\-', '-').replaceAll('\\&', '').replaceAll('\\e', '\\')

it.each(commandTree.map((command) => [command.name, command] as const))(
  '%s is in it, with its options',
  (name, command) => {
    const usage = [name, ...(command.args ?? []).map((arg) => arg.name)].join(' ')
    const from = plain.indexOf(`\n.SS outpool ${usage}\n`)
    expect(from).toBeGreaterThan(0)
    const next = plain.indexOf('\n.S', from + 1)
    const own = plain.slice(from, next + 1)
    expect(own.toLowerCase()).toContain(command.description.toLowerCase())
    for (const { flags, description } of command.options ?? [])
      expect(own).toContain(`.B ${flags}\n${description}\n`)
    for (const example of command.examples ?? []) expect(own).toContain(example)
  },
)

it('no text of a command is an order to the formatter', () => {
  const hostile = manPage(
    [{ ...commandTree[0]!, description: 'x', examples: ['.so /etc/passwd', "'de"] }],
    '1',
  )
  expect(hostile).not.toMatch(/^\.so/m)
  expect(hostile).not.toMatch(/^'/m)
})

it.skipIf(!(await hasDebianProgram(formatter, 'groff-base')))(
  'the formatter has nothing to complain of (skipped without groff)',
  () => {
    const { status, stdout, stderr } = spawnSync(formatter, ['-man', '-ww', '-z', '-Tutf8'], {
      input: page,
      encoding: 'utf8',
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
  },
)
