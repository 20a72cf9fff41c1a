/** The arrows between rooms. A room may import the values of `uses`, and only the types of `types`. */
const rooms = {
  policy: { uses: [] },
  config: { uses: ['policy'] },
  agents: { uses: ['policy'] },
  host: { uses: ['policy', 'config', 'agents'] },
  workflows: { uses: ['policy'], types: ['activities'] },
  activities: { uses: ['policy', 'config', 'agents', 'host'] },
  worker: { uses: ['policy', 'config', 'agents', 'host', 'workflows', 'activities'] },
  rehearsal: { uses: ['policy', 'config', 'agents', 'host', 'lab'] },
  demo: { uses: ['policy', 'config', 'agents', 'host', 'worker', 'client', 'lab'] },
  client: { uses: ['policy', 'config'], files: '^workflows/messages\\.ts$' },
}
const allRooms = [...Object.keys(rooms), 'lab', 'test', 'bench', 'examples']
const inside = (names) => `^(${names.join('|')})/`

/** Every arrow that the table does not name is an error, as are arrows from the product into tests and benchmarks. */
const arrows = Object.entries(rooms).flatMap(([name, { uses, types = [], files }]) => {
  const rule = {
    name: `rooms-${name}`,
    comment: 'The rooms and their arrows are in docs/architecture.md.',
    severity: 'error',
    from: { path: inside([name]) },
  }
  const closed = allRooms.filter((other) => ![name, ...uses, ...types].includes(other))
  return [
    { ...rule, to: { path: inside(closed), ...(files && { pathNot: files }) } },
    ...(types.length > 0
      ? [{ ...rule, to: { path: inside(types), dependencyTypesNot: ['type-only'] } }]
      : []),
  ]
})

/** Imports run one way, types included: files in a cycle can only be understood, tested and moved together. */
export default {
  forbidden: [
    ...arrows,
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
      name: 'screen-only-on-a-terminal',
      comment:
        'Only `outpool top` on a terminal loads the library of the screen: import live.ts dynamically.',
      severity: 'error',
      from: {
        path: '^(client|worker|host|activities|workflows|config)/',
        pathNot: '^client/top/(app|live)\\.ts$',
      },
      to: {
        path: '(^client/top/(app|live)\\.ts$)|node_modules/(ink|react)/',
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
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
