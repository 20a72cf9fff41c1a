// Builds what `npm ci` leaves behind: the compiled rooms, the workflow bundle and the files that are copied as they are.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'
import { build } from 'esbuild'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

rmSync(at('dist'), { recursive: true, force: true })
execFileSync(process.execPath, [tsc, '-p', at('tsconfig.build.json')], { stdio: 'inherit' })

// Bundled once here: a worker that bundles at its start loses a second each time it comes back.
const { code } = await bundleWorkflowCode({ workflowsPath: at('dist/workflows/index.js') })
mkdirSync(at('dist/workflows'), { recursive: true })
writeFileSync(at('dist/workflows/bundle.js'), code)

// The command in a few files instead of a thousand: finding and reading those is most of the time of a short command.
// A start of `outpool ls` takes a third less CPU for it.
const program = at('dist/client')
await build({
  entryPoints: [`${program}/bin.js`],
  outdir: program,
  chunkNames: 'parts/[name]-[hash]',
  allowOverwrite: true,
  ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20.19' },
  // They load native code, which no bundle can hold.
  external: ['@temporalio/worker', '@temporalio/core-bridge'],
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
  plugins: [
    {
      // A room finds the files that lie beside it, wherever the bundle has put its code.
      name: 'own-places',
      setup({ onLoad }) {
        onLoad({ filter: /\.js$/ }, ({ path }) => {
          if (!path.startsWith(at('dist/'))) return
          const own = JSON.stringify(relative(`${program}/parts`, path))
          const places = `new URL(${own}, import.meta.url).href`
          return {
            contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', places),
            resolveDir: dirname(path),
          }
        })
      },
    },
  ],
})

const scripts = [
  'agents/claude-code/launch/report.sh',
  'agents/claude-code/launch/hand-over.sh',
  'agents/claude-code/launch/editor.sh',
  'host/tmux/hold.sh',
]
for (const script of scripts) {
  cpSync(at(script), at(`dist/${script}`))
  chmodSync(at(`dist/${script}`), 0o755)
}
chmodSync(at('dist/client/bin.js'), 0o755)
// Editors check outpool.yaml with it: the first line that `outpool init` writes points here.
cpSync(at('config/schema/outpool.schema.json'), at('dist/config/outpool.schema.json'))
