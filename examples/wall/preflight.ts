/** What has to be installed on the machine before anything is started. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Finding } from '../../worker/doctor/finding.js'
import { checkNode, checkPython, checkTmux } from '../../worker/doctor/programs.js'
import { findEngine } from '../../worker/engine/index.js'

/** The built command. */
export const bin = fileURLToPath(new URL('../../dist/client/bin.js', import.meta.url))

/** One sentence on what is missing, one on what to do. */
export interface Missing {
  what: string
  remedy: string
}

/** Everything that is missing; empty if the demonstration can start. */
export async function findMissing(env: NodeJS.ProcessEnv): Promise<Missing[]> {
  const findings = [checkNode(process.versions.node), await checkTmux(env)]
  // Without Python, the engine might still come from Temporal's own download, but only trying would tell.
  findings.push(...(await checkPython(await findEngine(env), env)))
  if (!existsSync(bin)) findings.push(notBuilt)
  return findings.flatMap(({ name, state, found, remedy }) =>
    state === 'ok' ? [] : [{ what: `${name}: ${found}`, remedy: remedy ?? '' }],
  )
}

const notBuilt: Finding = {
  name: 'outpool',
  state: 'fail',
  found: 'is not built',
  remedy: 'Run `npm ci` in this checkout first.',
}
