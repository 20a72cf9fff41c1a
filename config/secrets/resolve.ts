/** Secrets by reference, resolved on the host when an agent is launched. No error contains a value. */
import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import type { EnvRefs, EnvValue } from '../config.js'
import { errorCode, messageOf } from '../../policy/errorFacts.js'
import { isSecretVariable } from '../../policy/independence/envKinds.js'
import { SecretError } from '../errors.js'
import { rememberSecret } from './known.js'

/** A password manager may ask its agent, but Outpool does not wait here for a person. */
const commandTimeoutMs = 30_000
const secretMaxBytes = 64 * 1024

/** Literals as they are, references replaced by what they point to. Throws SecretError naming the reference. */
export async function resolveEnv(env: EnvRefs): Promise<Record<string, string>> {
  const resolved = await Promise.all(
    Object.entries(env).map(async ([name, value]) => [name, await resolveValue(name, value)] as const),
  )
  return Object.fromEntries(resolved)
}

/**
 * One value; `name` is only for the message, and to tell whether a literal is a secret. Secrets are remembered, so that they can be
 * removed from texts. Throws SecretError.
 */
export async function resolveValue(name: string, value: EnvValue): Promise<string> {
  const resolved = await valueOf(name, value)
  if (typeof value !== 'string' || isSecretVariable(name)) rememberSecret(resolved)
  return resolved
}

async function valueOf(name: string, value: EnvValue): Promise<string> {
  if (typeof value === 'string') return value
  if ('fromEnv' in value) return fromEnv(name, value.fromEnv)
  if ('fromFile' in value) return await fromFile(name, value.fromFile)
  return await fromCommand(name, value.fromCommand)
}

function fromEnv(name: string, variable: string): string {
  const value = process.env[variable]
  if (value === undefined || value === '')
    throw new SecretError(
      `${name} comes from the environment variable ${variable}, which is not set`,
      `set ${variable} in the environment of the worker`,
    )
  return value
}

async function fromFile(name: string, file: string): Promise<string> {
  let text: string
  try {
    const info = await stat(file)
    if (!info.isFile() || info.size > secretMaxBytes)
      throw new Error(info.isFile() ? 'too large' : 'no regular file')
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new SecretError(
      `${name} comes from the file ${file}, which cannot be read (${errorCode(error) ?? messageOf(error)})`,
      'create the file, readable by you alone (mode 600)',
    )
  }
  return notEmpty(
    text,
    `${name} comes from the file ${file}, which is empty`,
    'write the secret into the file',
  )
}

async function fromCommand(name: string, command: string[]): Promise<string> {
  const [program = '', ...args] = command
  const shown = `${name} comes from the command ${JSON.stringify(command)}`
  const text = await new Promise<string>((resolve, reject) => {
    // What the command printed may be part of the secret, so nothing of it goes into the error.
    const child = execFile(
      program,
      args,
      { encoding: 'utf8', timeout: commandTimeoutMs, killSignal: 'SIGKILL', maxBuffer: secretMaxBytes },
      (error, stdout) => {
        if (!error) resolve(stdout)
        else
          reject(
            new SecretError(
              error.killed === true
                ? `${shown}, which did not end within ${commandTimeoutMs / 1000} s or printed too much`
                : `${shown}, which failed (${codeOf(error)})`,
              'run the command by hand to see why; it must print the secret without asking for input',
            ),
          )
      },
    )
    child.stdin?.end()
  })
  return notEmpty(text, `${shown}, which printed nothing`, 'name a command that prints the secret')
}

/** Programs and editors end their output with a newline that is not part of the secret. */
function notEmpty(text: string, problem: string, remedy: string): string {
  const value = text.replace(/\r?\n$/, '')
  if (value === '') throw new SecretError(problem, remedy)
  return value
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null
  return typeof code === 'string' || typeof code === 'number' ? `code ${code}` : 'ended by a signal'
}
