/** What to run for a launch, and the files made for it. */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LaunchInput, LaunchPlan } from '../agent.js'
import { sessionEnv } from './env.js'
import { launchSettings, readUserArgs } from './settings.js'

/** The kernel takes at most 128 KiB in one argument, its end mark included. */
const argumentMaxBytes = 120 * 1024

/** Throws AgentFileError where the user's own `--settings` can't be read. */
export async function plan(input: LaunchInput): Promise<LaunchPlan> {
  await mkdir(input.launchDir, { recursive: true, mode: 0o700 })
  await mkdir(input.reportDir, { recursive: true, mode: 0o700 })
  const user = readUserArgs(input.command.args)
  const settings = join(input.launchDir, 'settings.json')
  await replaceFile(settings, JSON.stringify(await launchSettings(input, user), null, 2))
  const prompt = await promptArguments(input)
  return {
    argv: [
      input.command.command,
      '--settings',
      settings,
      ...conversationArguments(input),
      ...(input.model === null ? [] : ['--model', input.model]),
      ...user.args,
      ...prompt,
    ],
    env: sessionEnv(input),
  }
}

function conversationArguments({ mode, sessionId, forkOf }: LaunchInput): string[] {
  if (mode === 'new') return ['--session-id', sessionId]
  if (mode === 'fork' && forkOf) return ['--resume', forkOf, '--fork-session', '--session-id', sessionId]
  return ['--resume', sessionId]
}

/** `--` keeps flags that take several values from swallowing the prompt. */
async function promptArguments({ prompt, launchDir }: LaunchInput): Promise<string[]> {
  if (prompt === null || prompt === '') return []
  if (Buffer.byteLength(prompt) <= argumentMaxBytes) return ['--', prompt]
  const folder = join(launchDir, 'prompt')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'prompt.md')
  await replaceFile(file, prompt)
  return ['--add-dir', folder, '--', `Read the whole file ${file}: it is my message to you. Do what it says.`]
}

/** A crash half-way leaves the old file or the new one. */
async function replaceFile(file: string, text: string): Promise<void> {
  const fresh = `${file}.new`
  await writeFile(fresh, text, { mode: 0o600 })
  await rename(fresh, file)
}
