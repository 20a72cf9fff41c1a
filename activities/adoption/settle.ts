/** Shows an adopted session in the terminal where its person had the agent. */
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'
import { shellQuoted } from '../../policy/shellWord.js'
import type { AdoptionRequest } from './contracts.js'
import { runInPane, writeToTerminal } from './terminal.js'

const command = fileURLToPath(new URL('../../client/bin.js', import.meta.url))

/** A terminal that is gone, or that something else uses by now, is left alone. Idempotent. */
export async function settleAdoption(host: Host, { session }: AdoptionRequest): Promise<void> {
  await host.records.runExclusive(session, async () => {
    const record = host.adoptions.of(session)
    if (record === null || record.state === 'settled') return
    const { terminal, cwd } = record
    if (terminal?.kind === 'tmux') await runInPane(terminal, cwd, attachScript(host, session), true)
    if (terminal?.kind === 'tty')
      writeToTerminal(terminal.path, [
        `outpool: this conversation goes on as session ${session}.`,
        `Open it here with: outpool attach ${session}`,
      ])
    // The command line and the environment are only needed to start the program again where it was.
    host.adoptions.save(session, { ...record, state: 'settled', argv: [] })
  })
}

/** A short command line for the person's pane; it works without `outpool` on their PATH. */
function attachScript({ records, home }: Host, session: string): string {
  const file = join(records.folder(session), 'attach.sh')
  const words = [process.execPath, command, 'attach', session].map(shellQuoted).join(' ')
  writeFileAtomic(file, `#!/bin/sh\nOUTPOOL_HOME=${shellQuoted(home.dir)} exec ${words}\n`)
  chmodSync(file, 0o700)
  return file
}
