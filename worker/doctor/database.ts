/** Whether the embedded engine's database is intact. Checked with the SQLite of Node or Python, so no native module is needed. */
import { open, stat } from 'node:fs/promises'
import { execa } from 'execa'
import { z } from 'zod'
import type { Home } from '../../config/state/home.js'
import { formatBytes } from './disk.js'
import { type Finding, fail, ok, warn } from './finding.js'

/** A database of this size makes the embedded server slow to answer lists. Bytes. */
const largeDatabase = 5e9
/** A check takes a second for each few hundred megabytes. Milliseconds. */
const integrityTimeout = 12_000

export async function checkDatabase(home: Home): Promise<Finding[]> {
  const sizes = await Promise.all(
    [home.database, `${home.database}-wal`].map((file) => stat(file).catch(() => null)),
  )
  if (sizes[0] === null) return []
  const bytes = sizes.reduce((sum, one) => sum + (one?.size ?? 0), 0)
  const found = `${formatBytes(bytes)} at ${home.database}`
  // Nothing was ever stored in it, and the next start creates it again.
  if (bytes === 0) return [ok('database', `empty at ${home.database}`)]
  const damage =
    (await checkHeader(home.database, sizes[0]?.size ?? 0)) ?? (await checkIntegrity(home.database))
  if (typeof damage === 'string')
    return [
      fail(
        'database',
        `${found} is damaged: ${damage}`,
        'Stop outpool. Put a good copy in its place, or move it away together with its -wal and -shm files, ' +
          'and run `outpool up`, which creates an empty one. Conversations stay in the config dirs of the agents.',
      ),
    ]
  const how = damage.whole ? '; intact' : `; only its header was checked (${damage.why})`
  if (bytes < largeDatabase) return [ok('database', found + how)]
  const remedy = 'Stop sessions that are done, or use an engine with PostgreSQL (docker-compose.yml).'
  return [warn('database', found + how, remedy)]
}

const magic = 'SQLite format 3\0'

/** Checks the header of the file; null if nothing is wrong. Newer pages may be in the write-ahead log beside it. */
async function checkHeader(file: string, bytes: number): Promise<string | null> {
  const head = Buffer.alloc(100)
  const handle = await open(file)
  try {
    await handle.read(head, 0, head.length, 0)
  } finally {
    await handle.close()
  }
  if (head.toString('latin1', 0, 16) !== magic) return 'it does not begin as an SQLite database does'
  const stored = head.readUInt16BE(16)
  const page = stored === 1 ? 65_536 : stored
  if (page < 512 || (page & (page - 1)) !== 0) return `its page size of ${page} bytes is impossible`
  const isCounted = head.readUInt32BE(24) === head.readUInt32BE(92)
  const wanted = head.readUInt32BE(28) * page
  return isCounted && bytes < wanted ? `it was cut off: ${bytes} of ${wanted} bytes are there` : null
}

type DatabaseCheck = string | { whole: true } | { whole: false; why: string }

/** What each program prints: SQLite's result (`ok` or errors), and how many of Temporal's tables exist. */
const answerSchema = z.object({ check: z.string(), tables: z.number() })

const ask = 'PRAGMA quick_check(3)'
const tables = `SELECT count(*) FROM sqlite_master WHERE name IN ('executions', 'namespaces')`

/** Does not disturb a running server: reading a database with a write-ahead log blocks no writer. */
const withNode = (file: string): string[] => [
  ...['--no-warnings', '--experimental-sqlite', '-e'],
  `const { DatabaseSync } = require('node:sqlite')
   const db = new DatabaseSync(process.argv[1], { readOnly: true })
   const check = db.prepare(${JSON.stringify(ask)}).all().map((row) => Object.values(row)[0]).join('; ')
   const tables = Number(Object.values(db.prepare(${JSON.stringify(tables)}).get())[0])
   console.log(JSON.stringify({ check, tables }))`,
  file,
]
const withPython = (file: string): string[] => [
  '-c',
  `import json, pathlib, sqlite3, sys
db = sqlite3.connect(pathlib.Path(sys.argv[1]).as_uri() + "?mode=ro", uri=True)
check = "; ".join(str(row[0]) for row in db.execute(${JSON.stringify(ask)}))
tables = db.execute(${JSON.stringify(tables)}).fetchone()[0]
print(json.dumps({"check": check, "tables": tables}))`,
  file,
]

async function checkIntegrity(file: string): Promise<DatabaseCheck> {
  const ways = [
    { program: process.execPath, args: withNode(file) },
    { program: 'python3', args: withPython(file) },
  ]
  for (const { program, args } of ways) {
    const { stdout, stderr, exitCode, timedOut } = await execa(program, args, {
      ...{ timeout: integrityTimeout, reject: false, stdin: 'ignore' },
    })
    if (timedOut) return { whole: false, why: `it would take longer than ${integrityTimeout / 1000} s` }
    if (exitCode === 0) {
      const answer = answerSchema.safeParse(JSON.parse(stdout)).data
      if (answer?.check !== 'ok') return `SQLite says: ${(answer?.check ?? 'nothing').slice(0, 300)}`
      return answer.tables === 2 ? { whole: true } : "it lacks Temporal's tables"
    }
    const words = /[^\n]*(malformed|not a database|disk I\/O error)[^\n]*/.exec(stderr)?.[0]
    if (words !== undefined) return `SQLite says: ${words.trim().slice(0, 300)}`
  }
  return { whole: false, why: 'a full check needs Node.js 22.13 or newer, or Python 3' }
}
