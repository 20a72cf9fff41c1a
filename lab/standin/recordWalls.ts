/**
 * Runs the real agent program into every row of `wallCases` and records what it leaves in the transcript: `npx
 * tsx lab/standin/recordWalls.ts [PROGRAM]`. Without PROGRAM the one of package.json is recorded. The
 * fixture's name contains the program's version.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { laidOut } from '../laidOut.js'
import { agentProgram } from './cleanEnv.js'
import { type WallCaseResult, runWallCase } from './runWallCase.js'
import { fewRetries, instantsFrom, type WallCase, wallCases } from './wallCases.js'
import { runAgent, startWorld } from './world.js'

const program = process.argv[2] ?? agentProgram
const dir = mkdtempSync(join(tmpdir(), 'record-walls-'))
const world = await startWorld(dir)
const instants = instantsFrom(new Date())
try {
  const { stdout } = await runAgent(['--version'], { cwd: world.cwd, env: world.env(null), program })
  const version = stdout.trim().split(' ')[0] ?? 'unknown'
  const rows = []
  for (const row of wallCases) {
    const ran = await runWallCase(world, row, { program, sessionId: randomUUID(), instants, env: fewRetries })
    const { written, result, code, requests } = ran
    const answered = requests.map(({ outcome }) => outcome)
    console.log(`${row.name}: exit ${code}, ${answered.join(', ')}, ${result?.result ?? ran.stderr}`)
    if (written.length === 0) console.log(`  wrote no error row; transcript: ${ran.transcript}`)
    rows.push({ name: row.name, ...expectedFailure(row, ran), requests: answered, code, result, written })
  }
  const folder = fileURLToPath(new URL('../../test/adapter/fixtures/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `walls-${version}.json`)
  const text = JSON.stringify({ version, rows }).replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:8080')
  writeFileSync(file, laidOut(file, text))
} finally {
  await world.close()
  rmSync(dir, { recursive: true, force: true })
}

/** What a reader of the entry can know: in a version that writes no quota, only the text tells. */
function expectedFailure({ wanted, kindsByText }: WallCase, { written, result }: WallCaseResult): object {
  if (wanted.class !== 'wall') return { wanted }
  const structured = written.some((row) => 'quotaLimits' in row)
  const named = wanted.resets !== null && (structured || (result?.result ?? '').includes('resets '))
  return {
    wanted: {
      class: 'wall',
      kinds: structured ? wanted.kinds : (kindsByText ?? wanted.kinds),
      scope: wanted.scope,
      resetsAt: named && wanted.resets ? instants[wanted.resets].toISOString() : null,
    },
  }
}
