/** What has to be installed on the machine before anything is started. */
import { checkNode, checkPython, checkTmux } from '../worker/doctor/programs.js'
import { findEngine } from '../worker/engine/index.js'

/** One sentence on what is missing, one on what to do. */
export interface Missing {
  what: string
  remedy: string
}

/** Everything that is missing; empty if the demonstration can start. */
export async function findMissing(
  env: NodeJS.ProcessEnv,
  program: { command: string; file: string | null },
): Promise<Missing[]> {
  const findings = [checkNode(process.versions.node), await checkTmux(env)]
  // Without Python, the engine might still come from Temporal's own download, but only trying would tell.
  findings.push(...(await checkPython(await findEngine(env), env)))
  const missing = findings.flatMap(({ name, state, found, remedy }) =>
    state === 'ok' ? [] : [{ what: `${name}: ${found}`, remedy: remedy ?? '' }],
  )
  return program.file === null ? [...missing, noAgent(program.command)] : missing
}

const noAgent = (command: string): Missing => ({
  what: `there is no agent program ${command} on this machine, and the demonstration runs the real one`,
  remedy: 'Install Claude Code, or name its program under agents.claude-code.command in outpool.yaml.',
})
