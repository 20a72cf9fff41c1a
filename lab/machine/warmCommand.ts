/**
 * The built `outpool` command in a process that stays: to load the command takes several times as long as most of what it does. For
 * tests in which a command is a means; what it prints, how it exits and what it changes are the same.
 */
import { type ChildProcess, fork } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type CliResult, type CommandPlace, type CommandRunner, runCommand } from './runCommand.js'

const loop = fileURLToPath(new URL('commandLoop.mjs', import.meta.url))
const ending = /\0(\d+)\0$/

/** A command that begins while another one runs gets a process of its own. */
export class WarmCommand implements CommandRunner {
  readonly #program: string
  #child: ChildProcess | null = null
  #isBusy = false

  /** `program`: the file of the command. */
  constructor(program: string) {
    this.#program = program
  }

  async run(args: string[], place: CommandPlace): Promise<CliResult> {
    if (this.#isBusy) return runCommand(this.#program, args, place)
    this.#isBusy = true
    try {
      return await this.#runWarm((this.#child ??= this.#start()), args, place)
    } finally {
      this.#isBusy = false
    }
  }

  async close(): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.disconnect()
    await ended
  }

  #start(): ChildProcess {
    return fork(loop, [this.#program], { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  }

  async #runWarm(child: ChildProcess, args: string[], place: CommandPlace): Promise<CliResult> {
    const prints = Promise.all([printed(child.stdout!), printed(child.stderr!)])
    let onExit = (): void => undefined
    const gone = new Promise<never>((_, reject) => {
      onExit = () => reject(new Error(`the process of outpool ${args.join(' ')} has ended`))
      child.once('exit', onExit)
    })
    child.send({ args, ...place })
    const [out, err] = await Promise.race([prints, gone])
    child.off('exit', onExit)
    return { code: out.code, stdout: out.text, stderr: err.text }
  }
}

/** What comes out of the stream until the end of the run. */
function printed(stream: Readable): Promise<{ text: string; code: number }> {
  return new Promise((resolve) => {
    let text = ''
    const take = (chunk: string): void => {
      text += chunk
      const end = ending.exec(text)
      if (end === null) return
      stream.off('data', take)
      resolve({ text: text.slice(0, end.index), code: Number(end[1]) })
    }
    stream.setEncoding('utf8').on('data', take)
  })
}
