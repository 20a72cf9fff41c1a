// Builds what `npm ci` leaves behind: the compiled rooms, the workflow bundle and the files that are copied as they are.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

rmSync(at('dist'), { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', at('tsconfig.build.json')], { stdio: 'inherit' })

// Bundled once here: a worker that bundles at its start loses a second each time it comes back.
const { code } = await bundleWorkflowCode({ workflowsPath: at('dist/workflows/index.js') })
mkdirSync(at('dist/workflows'), { recursive: true })
writeFileSync(at('dist/workflows/bundle.js'), code)

const scripts = ['agents/claude-code/report.sh', 'agents/claude-code/hand-over.sh', 'activities/hold.sh']
for (const script of scripts) {
  cpSync(at(script), at(`dist/${script}`))
  chmodSync(at(`dist/${script}`), 0o755)
}
chmodSync(at('dist/client/bin.js'), 0o755)
// Editors check outpool.yaml with it: the first line that `outpool init` writes points here.
cpSync(at('config/outpool.schema.json'), at('dist/config/outpool.schema.json'))
