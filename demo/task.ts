/**
 * What the demonstration's session works on: a tiny program with a bug, and what the stand-in's model says
 * about it.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Script } from '../lab/standin/answers.js'

export const prompt = 'The total is wrong for two items. Fix cart.mjs and run the test.'

/**
 * Answers that the first account still gives. The next request, in the middle of the turn, meets the wall.
 */
export const answersBeforeWall = 2

const cart = `export function total(items) {
  let sum = 0
  for (let i = 1; i < items.length; i++) sum += items[i].price
  return sum
}
`

const cartTest = `import assert from 'node:assert/strict'
import test from 'node:test'
import { total } from './cart.mjs'

test('adds up every item', () => assert.equal(total([{ price: 3 }, { price: 4 }]), 7))
`

/** Unattended sessions need their permissions settled beforehand, in a demonstration too. */
const settings = {
  permissions: { defaultMode: 'acceptEdits', allow: ['Read', 'Edit', 'Bash(node --test:*)'] },
}

export function layOutWork(cwd: string): void {
  writeFileSync(join(cwd, 'cart.mjs'), cart)
  writeFileSync(join(cwd, 'cart.test.mjs'), cartTest)
  mkdirSync(join(cwd, '.claude'))
  writeFileSync(join(cwd, '.claude', 'settings.json'), `${JSON.stringify(settings, null, 2)}\n`)
}

/** The model is made up; the tools that it calls are run by the real agent program, on the real files. */
export function scriptFor(cwd: string): Script {
  const file = join(cwd, 'cart.mjs')
  const edit = { file_path: file, old_string: 'let i = 1', new_string: 'let i = 0' }
  const run = { command: 'node --test cart.test.mjs', description: 'Run the test' }
  return [
    { text: 'Let me see the code.', tools: [{ name: 'Read', input: { file_path: file } }] },
    { text: 'The loop leaves the first item out.', tools: [{ name: 'Edit', input: edit }] },
    { text: 'Fixed. Now the test.', tools: [{ name: 'Bash', input: run }] },
    'The loop began at the second item. It now begins at the first, and the test passes.',
  ]
}
