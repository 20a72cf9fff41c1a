import tseslint from 'typescript-eslint'

/** The arrows between rooms. A room may import the values of `uses`, and only the types of `types`. */
const rooms = {
  policy: { uses: [], types: [] },
  config: { uses: ['policy'], types: [] },
  agents: { uses: ['policy'], types: [] },
  host: { uses: ['policy', 'config', 'agents'], types: [] },
  workflows: { uses: ['policy'], types: ['activities'] },
  activities: { uses: ['policy', 'config', 'agents', 'host'], types: [] },
  worker: { uses: ['policy', 'config', 'agents', 'host', 'workflows', 'activities'], types: [] },
  rehearsal: { uses: ['policy', 'config', 'agents', 'host', 'lab'], types: [] },
  demo: { uses: ['policy', 'config', 'agents', 'host', 'worker', 'client', 'lab'], types: [] },
  client: { uses: ['policy', 'config'], types: [], files: ['workflows/messages.js'] },
}

/** Every arrow that the table does not name is an error, as are arrows from the product into tests and benchmarks. */
const arrows = (name, { uses, types, files = [] }) => {
  const closed = [...Object.keys(rooms), 'lab', 'test', 'bench', 'examples'].filter(
    (other) => other !== name && !uses.includes(other),
  )
  return closed.map((other) => ({
    group: [
      `../${other}/**`,
      `../../${other}/**`,
      `../../../${other}/**`,
      ...files.map((file) => `!../**/${file}`),
    ],
    allowTypeImports: types.includes(other),
    message: `${name}/ may not import from ${other}/: the rooms and their arrows are in docs/architecture.md.`,
  }))
}

/** Messages of workflows are sent by their definitions: TypeScript checks no name and no payload of a string. */
const messagesByDefinition = ['Literal', 'TemplateLiteral'].flatMap((type) =>
  [
    `CallExpression[callee.property.name=/^(signal|query|executeUpdate|startUpdate)$/][arguments.0.type='${type}']`,
    `CallExpression[callee.property.name=/^(signalWithStart|executeUpdateWithStart|startUpdateWithStart)$/] Property[key.name=/^(signal|update)$/][value.type='${type}']`,
    `CallExpression[callee.name='setHandler'][arguments.0.type='${type}']`,
  ].map((selector) => ({
    selector,
    message: 'Take the definition of the message from workflows/messages.ts: its payload is type-checked.',
  })),
)

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    // One program for all files: half the time of a project service, which editors need and a whole run does not.
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      // An import of types alone must leave nothing behind at run time: `import { type X }` would still load the file.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  ...Object.entries(rooms).map(([name, room]) => ({
    files: [`${name}/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: arrows(name, room) }] },
  })),
  {
    files: ['client/**/*.ts', 'worker/**/*.ts', 'activities/**/*.ts', 'workflows/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...messagesByDefinition] },
  },
  {
    // Decisions are pure: the same question gets the same answer, on any host and at any time.
    files: ['policy/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'setInterval'],
      'no-restricted-properties': [
        'error',
        {
          object: 'Date',
          property: 'now',
          message: 'policy/ has no clock of its own: take `now` as a parameter.',
        },
        { object: 'Math', property: 'random', message: 'policy/ is pure: take randomness as a parameter.' },
      ],
    },
  },
  {
    files: ['lab/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
)
