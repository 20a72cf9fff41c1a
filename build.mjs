// Builds what a package holds: the programs in a few files, the bundle of the workflows, and what is copied as it is.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'
import { build, transform } from 'esbuild'

const root = fileURLToPath(new URL('.', import.meta.url))
const at = (path) => `${root}${path}`

rmSync(at('dist'), { recursive: true, force: true })

// Only `outpool/beat` is imported by programs of others: it alone is compiled file by file, and has a declaration.
execFileSync(process.execPath, [at('node_modules/typescript7/bin/tsc'), '-p', at('tsconfig.build.json')], {
  stdio: 'inherit',
})

/**
 * A program in a few files instead of a thousand: finding and reading those is most of the time of a short command. A start
 * of `outpool ls` takes a third less CPU for it. `shared`: the folder of dist for the code that several files share.
 */
const bundle = (entries, shared, { plugins = [], ...options }) =>
  build({
    entryPoints: entries.map((entry) => at(`${entry}.ts`)),
    outdir: at('dist'),
    outbase: at(''),
    chunkNames: `${shared}/[name]-[hash]`,
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20.19' },
    ...{ minifyWhitespace: true, minifySyntax: true, legalComments: 'none' },
    metafile: true,
    logLevel: 'warning',
    plugins: [
      ...plugins,
      {
        // Messages in fifty languages, of which none but English is ever chosen.
        name: 'english-only',
        setup({ onLoad }) {
          onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, ({ path }) => ({
            contents: `export { default as en } from './en.js'`,
            resolveDir: dirname(path),
          }))
        },
      },
      {
        // A file finds the files that lie beside it, wherever the bundle has put its code: always in a folder of dist.
        name: 'own-places',
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const places = `new URL(${JSON.stringify(`../${relative(root, path)}`)}, import.meta.url).href`
            return {
              // As a namespace, the library is bundled without what no schema uses.
              contents: readFileSync(path, 'utf8')
                .replaceAll('import.meta.url', places)
                .replace("import { z } from 'zod'", "import * as z from 'zod'"),
              loader: 'ts',
              resolveDir: dirname(path),
            }
          })
        },
      },
      {
        // Those of our code stay as they are, so that a stack trace can be read.
        name: 'short-names-in-packages',
        setup({ onLoad }) {
          onLoad({ filter: /\/node_modules\/.+\.[cm]?js$/ }, async ({ path }) => ({
            contents: (await transform(readFileSync(path, 'utf8'), { minifyIdentifiers: true })).code,
          }))
        },
      },
    ],
    ...options,
  })

const requiring = {
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
}
/** For what runs for a moment and prints no stack trace: two fifths less to load. */
const short = { minifyIdentifiers: true }
/** The library of `outpool top` without the tools of its developers, which DEV=true in a person's environment would look for. */
const screen = {
  name: 'screen',
  setup({ onLoad }) {
    onLoad({ filter: /ink\/build\/utils\.js$/ }, () => ({ contents: 'export const isDev = () => false' }))
    onLoad({ filter: /ink\/build\/devtools\.js$/ }, () => ({ contents: '' }))
    // It is published with long names, and is two fifths of what a screen loads.
    onLoad({ filter: /react-reconciler\.production\.js$/ }, async ({ path }) => ({
      contents: (await transform(readFileSync(path, 'utf8'), { minify: true })).code,
    }))
  },
}
const client = await bundle(['client/bin'], 'client', {
  ...requiring,
  // They load native code, which no bundle can hold.
  external: ['@temporalio/worker', '@temporalio/core-bridge', './quick.js'],
  define: { 'process.env.NODE_ENV': '"production"' },
  plugins: [screen],
})
// In one file, since finding and compiling many takes longer than the answer of the worker. It calls no other command.
const quick = await bundle(['client/quick'], 'client', {
  ...requiring,
  ...short,
  splitting: false,
  plugins: [
    {
      name: 'quick-commands-only',
      setup({ onResolve }) {
        onResolve({ filter: /^\./ }, ({ kind, path }) =>
          kind !== 'dynamic-import' || /\/commands\/(ls|show)\.js$/.test(path)
            ? undefined
            : { path, external: true },
        )
      },
    },
  ],
})
const { dependencies } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
/** Small packages of many files, which took a quarter of the worker's start to find and compile. */
const inWorker = ['execa', 'proper-lockfile', 'tinyglobby', 'yaml', 'zod']
// The others stay outside: Temporal's compare their classes with those that its own worker has loaded.
const worker = await bundle(['worker/main'], 'worker', {
  ...requiring,
  external: Object.keys(dependencies).filter((name) => !inWorker.includes(name)),
})

// They hold the stand-in, with the packages that only it needs: those are not installed with this one.
const standIn = await bundle(['rehearsal/main', 'demo/main'], 'lab', {
  ...requiring,
  ...short,
  external: Object.keys(dependencies),
})

// Bundled once here: a worker that bundles at its start loses a second each time it comes back.
const { code } = await bundleWorkflowCode({
  // As in worker/connection/workflowCode.ts.
  workflowsPath: at('workflows/index.ts'),
  workflowInterceptorModules: [at('workflows/sealing.ts')],
  failureConverterPath: at('workflows/failureConverter.cjs'),
  webpackConfigHook: (config) => ({
    ...config,
    context: root,
    // Lines without columns: all that a stack trace of a workflow needs.
    devtool: 'inline-cheap-module-source-map',
    output: {
      ...config.output,
      devtoolModuleFilenameTemplate: ({ absoluteResourcePath }) => relative(root, absoluteResourcePath),
    },
  }),
})
const [workflows, encodedMap] = code.split('//# sourceMappingURL=data:application/json;charset=utf-8;base64,')
const map = JSON.parse(Buffer.from(encodedMap, 'base64').toString())
// Temporal's worker asks for a map inside the bundle. For the lines of a stack trace it needs no sources.
delete map.sourcesContent
mkdirSync(at('dist/workflows'))
writeFileSync(
  at('dist/workflows/bundle.js'),
  `${workflows}//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map).replaceAll(root, '')).toString('base64')}`,
)

// A bundle holds copies of packages, and a copy brings its licence.
const bundled = [client, quick, worker, standIn]
  .flatMap(({ metafile }) => Object.keys(metafile.inputs))
  .concat(map.sources)
  .map((file) => /(?:node_modules\/.*)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0])
  .filter((folder) => folder !== undefined)
const notices = new Map()
for (const folder of [...new Set(bundled)].sort()) {
  const { name, version, license } = JSON.parse(readFileSync(at(`${folder}/package.json`), 'utf8'))
  const texts = readdirSync(at(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
  const text = texts.map((file) => readFileSync(join(at(folder), file), 'utf8').trim()).join('\n\n')
  notices.set(text, [...(notices.get(text) ?? []), `${name} ${version} (${license})`])
}
writeFileSync(
  at('dist/THIRD-PARTY-LICENSES.txt'),
  [...notices].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`).join(`\n${'-'.repeat(80)}\n\n`),
)

execFileSync(process.execPath, ['--import', 'tsx', at('client/manPage/write.ts'), at('dist/man/outpool.1')], {
  cwd: root,
  stdio: 'inherit',
})

const asTheyAre = [
  // The worker's library loads it by its path.
  'workflows/failureConverter.cjs',
  'agents/claude-code/launch/report.sh',
  'agents/claude-code/launch/hand-over.sh',
  'agents/claude-code/launch/editor.sh',
  'host/tmux/hold.sh',
  // Editors check outpool.yaml with it: the first line that `outpool init` writes points here.
  'config/schema/outpool.schema.json',
]
for (const file of asTheyAre) cpSync(at(file), at(`dist/${file}`))
for (const file of [...asTheyAre.filter((name) => name.endsWith('.sh')), 'client/bin.js'])
  chmodSync(at(`dist/${file}`), 0o755)
