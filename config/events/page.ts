/** The page of all kinds of events with their fields, made from the schema. */
import { z } from 'zod'
import { eventSchema } from './schema.js'

/** The part of JSON Schema that the events use. */
const fieldSchema = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
  format: z.string().optional(),
  description: z.string().optional(),
  get anyOf() {
    return z.array(fieldSchema).optional()
  },
  get items() {
    return fieldSchema.optional()
  },
  get properties() {
    return z.record(z.string(), fieldSchema).optional()
  },
})
type Field = z.output<typeof fieldSchema>

const common = ['v', 'id', 'at', 'host', 'kind']

const introduction = `# Events

What happens on a host is recorded as events: \`outpool events\` prints them, the log of the worker has one line for each, and the files
are below \`OUTPOOL_HOME\` in \`events/\`, one JSON object a line. This page is made from the schema
(\`npx tsx config/events/writePage.ts\`).

- An event is recorded once. A worker that is killed at any instant neither loses an event of a change that the engine has accepted, nor
  records it twice; a full disk delays events, and a worker that ends before there is room may lose them.
- An event holds no prompt, no answer and no secret. Texts are one line of at most 300 characters.
- Instants are ISO 8601 in UTC, by the clock of the host. Names that end in \`ms\` or \`Ms\` are milliseconds. Shares are 0..1.
- Programs should ignore fields and kinds that they do not know: new ones may come without a new version. \`v\` grows when a field
  changes its meaning.
- A session's events are on the host of the session, and a task's on the host that runs it.

\`events.maxSize\` and \`events.keepFor\` in \`outpool.yaml\` bound how much is kept (by default 10M and 30d); the oldest go first.
`

export function eventsPage(): string {
  const { anyOf = [], oneOf = anyOf } = z
    .object({ anyOf: z.array(fieldSchema).optional(), oneOf: z.array(fieldSchema).optional() })
    .parse(z.toJSONSchema(eventSchema, { io: 'input' }))
  const [first] = oneOf
  const shared = Object.entries(first?.properties ?? {}).filter(([name]) => common.includes(name))
  const kinds = oneOf.map((kind) => {
    const fields = Object.entries(kind.properties ?? {}).filter(([name]) => !common.includes(name))
    return `### \`${String(kind.properties?.['kind']?.const)}\`\n\n${kind.description ?? ''}\n\n${table(fields)}`
  })
  return [
    introduction,
    `## Fields of every event\n\n${table(shared.map(([name, field]) => [name, name === 'kind' ? kindField : field]))}`,
    `## Kinds\n\n${kinds.join('\n')}`,
  ].join('\n')
}

const kindField: Field = { type: 'string', description: 'What happened: one of the kinds below' }

function table(fields: readonly (readonly [string, Field])[]): string {
  const rows = fields.map(([name, field]) => [
    `\`${name}\``,
    typeOf(field),
    field.description ?? meaningOf(field),
  ])
  return markdownTable([['field', 'type', 'meaning'], ...rows])
}

/** Of a nullable field, whose description is that of the value. */
const meaningOf = ({ anyOf = [] }: Field): string =>
  anyOf.find(({ description }) => description !== undefined)?.description ?? ''

function typeOf(field: Field): string {
  const { type, const: only, enum: choices, format, anyOf, items, properties } = field
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ')
  if (only !== undefined) return `\`${JSON.stringify(only)}\``
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(', ')
  if (items !== undefined)
    return `list of ${items.enum === undefined ? `{ ${fieldsOf(items)} }` : typeOf(items)}`
  if (properties !== undefined) return `{ ${fieldsOf(field)} }`
  if (format === 'date-time') return 'instant'
  return [type ?? []].flat().join(' or ')
}

const fieldsOf = ({ properties = {} }: Field): string =>
  Object.keys(properties)
    .map((name) => `\`${name}\``)
    .join(', ')

/** With its columns aligned, as the formatter of this repository writes tables. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const width = (column: number): number => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(width(column))).join(' | ')} |`
  const [head = [], ...rest] = rows
  const rule = `| ${head.map((_, column) => '-'.repeat(width(column))).join(' | ')} |`
  return [line(head), rule, ...rest.map(line), ''].join('\n')
}
