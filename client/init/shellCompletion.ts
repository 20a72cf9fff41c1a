/** Puts the completion of the person's shell where the shell finds it. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** What would be written, and where; `isThere` if it is there already. */
export interface CompletionSetUp {
  file: string
  line: string
  isThere: boolean
}

/** Null for a shell that has no completion of ours. */
export function completionSetUp(env: NodeJS.ProcessEnv, home: string): CompletionSetUp | null {
  const shell = basename(env['SHELL'] ?? '')
  const file = {
    bash: join(home, '.bashrc'),
    zsh: join(env['ZDOTDIR'] ?? home, '.zshrc'),
    fish: join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'fish', 'completions', 'outpool.fish'),
  }[shell]
  if (file === undefined) return null
  const line = shell === 'fish' ? 'outpool completion fish | source' : `source <(outpool completion ${shell})`
  return { file, line, isThere: existsSync(file) && readFileSync(file, 'utf8').includes(line) }
}

export function setUpCompletion({ file, line, isThere }: CompletionSetUp): void {
  if (isThere) return
  mkdirSync(dirname(file), { recursive: true })
  if (!existsSync(file)) writeFileSync(file, `${line}\n`)
  else appendFileSync(file, `${readFileSync(file, 'utf8').endsWith('\n') ? '' : '\n'}${line}\n`)
}
