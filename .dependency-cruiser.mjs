/** Imports run one way, types included: files in a cycle can only be understood, tested and moved together. */
export default {
  forbidden: [{ name: 'no-circular', severity: 'error', from: {}, to: { circular: true } }],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Counts imports of types, which the compiler removes.
    tsPreCompilationDeps: true,
  },
}
