/** Plans a launch: the command line, and the files it needs. */
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { shellWord } from '../../../policy/shellWord.js'
import type { LaunchInput, LaunchPlan } from '../../adapter/launch.js'
import { baseOf, sessionEnv } from './env.js'
import { launchSettings, readUserArgs } from './settings.js'
import { isCommandLike } from '../screen/text.js'

/** The kernel limits one argument to 128 KiB, including its terminating zero. */
const argumentMaxBytes = 120 * 1024

/** Throws AgentFileError if the user's own `--settings` can't be read. */
export async function planLaunch(input: LaunchInput): Promise<LaunchPlan> {
  await mkdir(input.launchDir, { recursive: true, mode: 0o700 })
  await mkdir(input.reportDir, { recursive: true, mode: 0o700 })
  const user = readUserArgs(input.command.args)
  const settings = join(input.launchDir, 'settings.json')
  const prompt = await promptArgument(input)
  const folders = [...(input.handOver ? [dirname(input.handOver)] : []), ...prompt.folders]
  await replaceFile(settings, JSON.stringify(await launchSettings(input, user, folders), null, 2))
  return {
    argv: [
      input.command.command,
      '--settings',
      settings,
      ...conversationArguments(input),
      ...(input.model === null ? [] : ['--model', input.model]),
      ...user.args,
      ...prompt.words,
    ],
    env: { ...sessionEnv(input), VISUAL: await writeEditor(input) },
  }
}

function conversationArguments({ mode, sessionId, forkOf }: LaunchInput): string[] {
  if (mode === 'new') return ['--session-id', sessionId]
  if (mode === 'fork' && forkOf) return ['--resume', forkOf, '--fork-session', '--session-id', sessionId]
  return ['--resume', sessionId]
}

/** `--` keeps options with several values from taking the prompt. `folders`: those that the agent has to read for the prompt. */
async function promptArgument({
  prompt,
  launchDir,
}: LaunchInput): Promise<{ words: string[]; folders: readonly string[] }> {
  if (prompt === null || prompt === '') return { words: [], folders: [] }
  // The program runs a prompt that begins like one of its commands, even from the command line.
  if (Buffer.byteLength(prompt) <= argumentMaxBytes && !isCommandLike(prompt))
    return { words: ['--', prompt], folders: [] }
  const folder = join(launchDir, 'prompt')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'prompt.md')
  await replaceFile(file, prompt)
  const words = ['--', `Read the whole file ${file}: it is my message to you. Do what it says.`]
  return { words, folders: [folder] }
}

const editorScript = fileURLToPath(new URL('editor.sh', import.meta.url))

/**
 * The program's editor for this launch, which gives drafts to Outpool (`exportDraftKeys`). It has the name of the person's own editor,
 * because the program shows that name.
 */
async function writeEditor({ launchDir, command, baseEnv = baseOf(command) }: LaunchInput): Promise<string> {
  const own = baseEnv['VISUAL'] || baseEnv['EDITOR'] || 'vi'
  const name = basename(own.split(' ')[0] ?? '').replaceAll(/[^\w.-]/g, '') || 'editor'
  const folder = join(launchDir, 'editor')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const words = [editorScript, join(launchDir, 'drafts'), own].map(shellWord).join(' ')
  const file = join(folder, name)
  await replaceFile(file, `#!/bin/sh\nexec /bin/sh ${words} "$@"\n`)
  await chmod(file, 0o700)
  return file
}

/** After a crash there is the old file or the new one. */
async function replaceFile(file: string, text: string): Promise<void> {
  const fresh = `${file}.new`
  await writeFile(fresh, text, { mode: 0o600 })
  await rename(fresh, file)
}
