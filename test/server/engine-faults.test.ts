import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import proto from '@temporalio/proto'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openHome, type Home } from '../../config/state/home.js'
import { endEmbedded, startEmbedded } from '../../worker/engine/embedded.js'
import { obtainTemporal } from '../../worker/engine/find.js'
import { openEngine } from '../../worker/engine/index.js'
import { freePorts } from '../../worker/engine/ports.js'
import { trimLog } from '../../worker/engine/serverLog.js'
import { serversOf } from '../../worker/engine/servers.js'
import { EngineSetupError, EngineStartError } from '../../worker/errors.js'
import { randomPorts, testPorts } from '../../lab/engine/testPorts.js'
import { ownEngineOnly } from '../../lab/engine/ownEngineOnly.js'

const keyword = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD

/**
 * Small disks are mounted in a user namespace; if the machine forbids those, the tests that need one are
 * skipped by name.
 */
const mountsOwnDisks = spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'true']).status === 0

describe('an engine that cannot start says why, and what to do', () => {
  let dir: string
  let home: Home
  let temporal: string
  beforeAll(async () => {
    temporal = (await obtainTemporal({ env: ownEngineOnly(), say: () => undefined })).path
  })
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'outpool-faults-'))
    home = openHome({ ...process.env, OUTPOOL_HOME: dir })
  })
  afterEach(async () => {
    expect(await serversOf(home.database), 'no process is left').toEqual([])
    await rm(dir, { recursive: true, force: true })
  })

  const open = (env: NodeJS.ProcessEnv = {}) =>
    openEngine({
      home,
      env: { ...ownEngineOnly(), OUTPOOL_TEMPORAL: temporal, ...env },
      say: () => undefined,
      firstPorts: testPorts,
    })
  async function faultOf(start: Promise<unknown>): Promise<EngineStartError> {
    const error: unknown = await start.then(
      () => 'it started',
      (thrown: unknown) => thrown,
    )
    if (!(error instanceof EngineStartError)) throw error
    expect(existsSync(home.engineFile)).toBe(false)
    return error
  }
  /** Runs statements on the engine's database without the engine, and returns the rows of the last. */
  function sqlite(...statements: string[]): string {
    const script =
      'import sqlite3,sys\nc=sqlite3.connect(sys.argv[1])\nfor s in sys.argv[2:]: r=c.execute(s).fetchall()\nc.commit(); print(r)'
    return execFileSync('python3', ['-c', script, home.database, ...statements], { encoding: 'utf8' })
  }
  /** A `temporal` that runs with a separate small disk mounted over its home. */
  async function onDisk(options: string): Promise<NodeJS.ProcessEnv> {
    const path = join(dir, 'logs', 'wrapped')
    const inside = 'mount -t tmpfs -o "$OPTIONS" none "$0" && exec "$TEMPORAL" "$@"'
    const script = `#!/bin/sh
[ "$1" = --version ] && exec ${temporal} --version
OPTIONS=${options} TEMPORAL=${temporal} exec unshare --user --map-root-user --mount sh -c '${inside}' ${dir} "$@"
`
    await writeFile(path, script, { mode: 0o755 })
    return { OUTPOOL_TEMPORAL: path }
  }

  /**
   * A real database with a workflow in it, never checkpointed into its main file: its -wal holds the data.
   */
  async function makeHistory(): Promise<void> {
    const engine = await open()
    const connection = await Connection.connect(engine.connectOptions)
    await new Client({ connection }).workflow.start('w', { workflowId: 'w', taskQueue: 'nobody' })
    await connection.close()
    await engine.stop()
  }

  it('broken database: not a database at all; the file is kept', async () => {
    const junk = 'this is no database, but it is mine\n'.repeat(1000)
    await writeFile(home.database, junk)
    const error = await faultOf(open())
    expect(error.failure).toBe('database-broken')
    expect(error.message).toContain(home.database)
    expect(error.message).toContain('file is not a database')
    expect(error.remedy).toMatch(/left as it is.*move it away.*-wal and -shm.*outpool up/)
    expect(readFileSync(home.database, 'utf8')).toBe(junk)
  })

  it('broken database: cut off in the middle; all its files are kept', async () => {
    await makeHistory()
    // Moves everything into the main file, as SQLite does by itself after some time.
    sqlite('pragma wal_checkpoint(TRUNCATE)')
    truncateSync(home.database, 200_000)
    const before = readFileSync(home.database)
    const error = await faultOf(open())
    expect(error.failure).toBe('database-broken')
    expect(error.message).toContain('malformed')
    expect(readFileSync(home.database).equals(before)).toBe(true)
  })

  it('broken database: one of another program, which keeps all its data', async () => {
    sqlite('create table mine (what text)', 'insert into mine values ("precious")')
    const error = await faultOf(open())
    expect(error.failure).toBe('database-broken')
    expect(error.message).toContain('no such table')
    expect(sqlite('select what from mine')).toContain('precious')
  })

  it('an empty file is not a database and holds nothing to lose: it is put aside', async () => {
    await writeFile(home.database, '')
    await (await open()).stop()
    expect(readdirSync(dir)).toContain('temporal.db.unfinished')
  })

  it.skipIf(!mountsOwnDisks)(
    'disk full: is reported; the incomplete database is put aside once there is room',
    async () => {
      const error = await faultOf(open(await onDisk('size=200k')))
      expect(error.failure).toBe('disk-full')
      expect(error.remedy).toMatch(/Free some space/)

      // What a server that was ended while it created its tables leaves at the path that the next start
      // reads.
      sqlite('create table executions (shard_id int)')
      await (await open()).stop()
      expect(sqlite('select count(*) from namespaces')).toContain('2')
      expect(readdirSync(dir)).toContain('temporal.db.unfinished')
      // A database that was complete once is never mistaken for an incomplete one.
      await (await open()).stop()
      expect(readdirSync(dir).filter((name) => name.endsWith('mark'))).toEqual([])
    },
  )

  it.skipIf(!mountsOwnDisks)('disk that is read only: is reported', async () => {
    const error = await faultOf(open(await onDisk('size=2m,ro')))
    expect(error.failure).toBe('database-not-writable')
    expect(error.message).toContain('unable to open database file')
    expect(error.remedy).toContain(dir)
  })

  it('port taken: the port is named', async () => {
    const ports = await freePorts(randomPorts())
    for (const port of [ports.grpc, ports.ui!]) {
      const other = createServer().listen(port, '127.0.0.1')
      await once(other, 'listening')
      const error = await faultOf(startEmbedded({ home, program: temporal, say: () => undefined, ports }))
      expect(error.failure).toBe('port-taken')
      expect(error.message).toContain(`port ${port} on 127.0.0.1 is taken by another program`)
      other.close()
    }
  })

  it.each([
    ['is gone', null, 'ENOENT'],
    ['has no interpreter', '#!/nowhere/sh\n', 'ENOENT'],
    ['ends without output', '#!/bin/sh\nexit 7\n', 'exit code 7'],
    ['is killed', '#!/bin/sh\nkill -9 $$\n', 'ended by SIGKILL'],
  ])('program that %s', async (_, text, reason) => {
    const program = join(dir, 'temporal')
    if (text !== null) await writeFile(program, text, { mode: 0o755 })
    const error = await faultOf(startEmbedded({ home, program, say: () => undefined, firstPorts: testPorts }))
    expect(error.failure).toBe('cannot-run')
    expect(error.message).toContain(reason)
    expect(error.remedy).toContain(`${program} --version`)
  })

  it('law 7: one that panics over an internal port is started again, on other ports', async () => {
    const clumsy = join(dir, 'clumsy')
    // The first start ends as the real one does when another program takes the port that it had just found.
    await writeFile(
      clumsy,
      `#!/bin/sh
if [ ! -e '${dir}/once' ]; then
  touch '${dir}/once'
  printf 'panic: failed assigning ephemeral port: listen tcp 127.0.0.1:40001: bind\\n\\ngoroutine 1 [running]:\\n\\t/main.go:18 +0x8e\\n' >&2
  exit 2
fi
exec '${temporal}' "$@"
`,
      { mode: 0o755 },
    )
    const server = await startEmbedded({
      ...{ home, program: clumsy, say: () => undefined, firstPorts: testPorts },
    })
    await endEmbedded(server.process)
    expect(existsSync(join(dir, 'once'))).toBe(true)
  })

  it('a program that never answers is ended, and the error points to its output', async () => {
    const program = join(dir, 'temporal')
    await writeFile(program, '#!/bin/sh\necho thinking; exec sleep 600\n', { mode: 0o755 })
    const start = startEmbedded({
      home,
      program,
      say: () => undefined,
      firstPorts: testPorts,
      startWithin: 600,
    })
    const error = await faultOf(start)
    expect(error.failure).toBe('timeout')
    expect(error.remedy).toContain(join(home.logs, 'temporal.log'))
  })

  it('a search attribute of another type is named, and the engine is not left running', async () => {
    const engine = await open()
    const connection = await Connection.connect(engine.connectOptions)
    await connection.operatorService.removeSearchAttributes({
      namespace: 'default',
      searchAttributes: ['OutpoolRescues'],
    })
    await connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: { OutpoolRescues: keyword },
    })
    await connection.close()
    await engine.stop()
    const error: unknown = await open().catch((thrown: unknown) => thrown)
    if (!(error instanceof EngineSetupError)) throw error
    expect(error.message).toContain('OutpoolRescues of another kind than Int')
    expect(error.remedy).toContain('search-attribute remove')
  })

  it('the log stays small while a program appends to it', async () => {
    await mkdir(join(dir, 'logs'), { recursive: true })
    const file = join(dir, 'logs', 'temporal.log')
    await writeFile(file, 'x'.repeat(1_000))
    trimLog(file, 1_000)
    expect(readFileSync(file)).toHaveLength(1_000)
    await writeFile(file, 'y'.repeat(1_001))
    trimLog(file, 1_000)
    expect(readFileSync(file)).toHaveLength(0)
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('y'.repeat(1_001))
  })
})
