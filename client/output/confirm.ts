/** Asks a person at the terminal. */
import { createInterface } from 'node:readline/promises'

/** Whether there is a person to ask. */
export const canAsk = (): boolean => process.stdin.isTTY && process.stderr.isTTY

/** Whether a person says yes; false without a terminal. */
export async function isConfirmed(question: string): Promise<boolean> {
  if (!canAsk()) return false
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${question} [y/N] `)
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
