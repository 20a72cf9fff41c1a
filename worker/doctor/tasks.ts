/** The loop's tasks: whether everything that each needs exists. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { Mailbox } from '../../activities/tasks/mailbox.js'
import type { TaskConfig } from '../../config/config.js'
import { isFolder } from '../../host/isFolder.js'
import { type Finding, fail, ok } from './finding.js'
import { messageOf } from '../../policy/errorFacts.js'

/** Less than the time limit of the whole check. Milliseconds. */
const mailWithin = 15_000

/** Throws SecretError. */
export async function checkTask(task: TaskConfig, env: NodeJS.ProcessEnv): Promise<Finding> {
  const name = `task ${task.name}`
  switch (task.kind) {
    case 'run':
      return checkCommand(name, task, env)
    case 'agent':
      return checkPrompt(name, task)
    case 'imap': {
      const { imap, deliverTo } = task
      if (typeof deliverTo !== 'string') {
        const found = checkCommand(name, deliverTo, env)
        if (found.state !== 'ok') return found
      }
      return checkMailbox(name, imap)
    }
  }
}

async function checkMailbox(name: string, imap: Parameters<typeof Mailbox.using>[0]): Promise<Finding> {
  try {
    await Mailbox.using(imap, AbortSignal.timeout(mailWithin), () => Promise.resolve())
    return ok(name, `${imap.mailbox} of ${imap.user} at ${imap.host} can be read`)
  } catch (error) {
    const why = messageOf(error)
    return fail(name, why, 'Correct `imap` in outpool.yaml, or check the mail server.')
  }
}

function checkPrompt(name: string, { prompt, cwd }: TaskConfig & { kind: 'agent' }): Finding {
  if (!isFolder(cwd)) return fail(name, `the folder ${cwd} does not exist`, 'Create it, or correct `cwd`.')
  if (typeof prompt !== 'string' && !isReadable(prompt.file))
    return fail(name, `the prompt file ${prompt.file} cannot be read`, 'Write it, or correct `prompt`.')
  return ok(name, `works in ${cwd}`)
}

function checkCommand(
  name: string,
  { run, cwd }: { run: string[]; cwd: string },
  env: NodeJS.ProcessEnv,
): Finding {
  const [program = ''] = run
  if (!isFolder(cwd)) return fail(name, `the folder ${cwd} does not exist`, 'Create it, or correct `cwd`.')
  const places = program.includes('/')
    ? [program]
    : (env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program))
  if (!places.some(isProgram))
    return fail(name, `there is no program ${program}`, 'Install it, or write its full path.')
  return ok(name, `${program} exists`)
}

const isReadable = (path: string): boolean => isAccessible(path, constants.R_OK)
const isProgram = (path: string): boolean => isAccessible(path, constants.X_OK) && !isFolder(path)

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}
