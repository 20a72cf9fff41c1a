/** Whether the agent program can be run on this host, and a fingerprint that changes when that may have changed. */
import { spawn } from 'node:child_process'
import type { Stats } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/** Error codes of the system for a file that it cannot start. */
const refusals: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program',
  EACCES: 'it is not allowed to be run',
  EPERM: 'it is not allowed to be run',
  ENOEXEC: 'it is not a program for this machine',
  EBADARCH: 'it is not a program for this machine',
  ELIBBAD: 'a library that it needs is broken',
  ETXTBSY: 'it is being written',
  EISDIR: 'it is a folder',
  ENOTDIR: 'its path leads through a file',
  ELOOP: 'its path leads in a circle',
}
/** Exit codes of a shell or loader that could not start a program, and signals of programs for another machine. */
const refusedExits: Readonly<Record<number, string>> = {
  126: 'it is not allowed to be run, or is not a program for this machine',
  127: 'it, or something that it needs, was not found',
}
const refusedSignals: readonly NodeJS.Signals[] = ['SIGILL', 'SIGSYS']

/** A program prints its version at once. One that takes longer can evidently be run. */
const answerWithin = 8_000

/** Why the program can't be run, in a few words; null if it can. Starts it once, with `--version`. */
export async function reasonNotRunnable(
  command: string,
  env: NodeJS.ProcessEnv,
  cwd: string,
  timeoutMs = answerWithin,
): Promise<string | null> {
  const outcome = await tryVersion(command, env, cwd, timeoutMs)
  if ('refused' in outcome) return refusals[outcome.refused] ?? outcome.refused
  const { code, signal } = outcome
  if (signal !== null) return refusedSignals.includes(signal) ? `it ended with ${signal}` : null
  if (code === 0) return null
  // A file that the system does not recognise as a program is passed to a shell, whose error would be misleading.
  const file = (await resolveProgram(command, env['PATH'] ?? '', cwd))?.file
  if (file !== undefined && (await isForAnotherMachine(file))) return refusals['ENOEXEC'] ?? null
  return refusedExits[code] ?? null
}

type VersionOutcome = { refused: string } | { code: number; signal: NodeJS.Signals | null }

function tryVersion(
  command: string,
  env: NodeJS.ProcessEnv,
  cwd: string,
  timeoutMs: number,
): Promise<VersionOutcome> {
  return new Promise((resolve) => {
    const child = spawn(command, ['--version'], {
      ...{ cwd, env, stdio: 'ignore' as const, timeout: timeoutMs },
      // A wrapper around a container may pass on no other signal.
      killSignal: 'SIGKILL',
    })
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ refused: error.code ?? 'it could not be started' }),
    )
    child.once('exit', (code, signal) => resolve({ code: code ?? 0, signal }))
  })
}

/** Offset of the machine type in a Linux program, in bytes. */
const machineAt = 18

/** Whether it is a Linux program for another type of machine than this one. */
async function isForAnotherMachine(file: string): Promise<boolean> {
  const [head, ours] = await Promise.all([readHeader(file), readHeader(process.execPath)])
  const isElf = (one: Buffer): boolean => one.subarray(0, 4).toString('latin1') === '\x7fELF'
  return isElf(head) && isElf(ours) && head.readUInt16LE(machineAt) !== ours.readUInt16LE(machineAt)
}

async function readHeader(file: string): Promise<Buffer> {
  const handle = await open(file).catch(() => null)
  const head = Buffer.alloc(machineAt + 2)
  await handle?.read(head, 0, head.length, 0).catch(() => undefined)
  await handle?.close()
  return head
}

/** Changes with the path, content or mode of the file that would be run. Constant as long as there is none. */
export async function programFingerprint(command: string, path: string, cwd: string): Promise<string> {
  const found = await resolveProgram(command, path, cwd)
  if (found === null) return 'none'
  const { file, info } = found
  return [file, info.ino, info.size, info.mtimeMs, info.mode].join(' ')
}

/** The file that the system would run for this command. */
async function resolveProgram(
  command: string,
  path: string,
  cwd: string,
): Promise<{ file: string; info: Stats } | null> {
  const files = command.includes('/')
    ? [isAbsolute(command) ? command : resolve(cwd, command)]
    : path.split(delimiter).map((folder) => join(folder, command))
  for (const file of files) {
    const info = await stat(file).catch(() => null)
    if (info?.isFile()) return { file, info }
  }
  return null
}
