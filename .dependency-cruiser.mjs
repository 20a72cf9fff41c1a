/** Imports run one way, types included: files in a cycle can only be understood, tested and moved together. */
export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'metrics-only-when-on',
      comment:
        'Metrics are off by default, and then nothing of them is loaded: import metrics.ts dynamically, or its types.',
      severity: 'error',
      from: { path: '^(client|worker|host|activities|workflows|config)/', pathNot: '^worker/metrics/' },
      to: { path: '^worker/metrics/', dependencyTypesNot: ['dynamic-import', 'type-only'] },
    },
    {
      name: 'opentelemetry-only-for-metrics',
      severity: 'error',
      from: { pathNot: '^(worker/metrics|test)/' },
      to: { path: 'node_modules/@opentelemetry/' },
    },
    {
      name: 'prompts-only-in-the-guide',
      comment: 'Only `outpool init` on a terminal loads the library of prompts.',
      severity: 'error',
      from: { pathNot: '^client/init/guide\\.ts$' },
      to: { path: 'node_modules/@clack/', dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Counts imports of types, which the compiler removes.
    tsPreCompilationDeps: true,
  },
}
