/** Reproduces one row of `wallCases` with the real agent program and reads what it wrote about it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../../policy/parseJson.js'
import type { RecordedRequest } from './requests.js'
import type { Instants, WallCase } from './wallCases.js'
import { runAgent, type World } from './world.js'

const resultSchema = z.looseObject({
  subtype: z.string().optional(),
  is_error: z.boolean(),
  result: z.string().optional(),
  api_error_status: z.number().nullish(),
  api_error_type: z.string().nullish(),
  api_error: z.string().nullish(),
})

const rowSchema = z.looseObject({ type: z.string() })
type RawEntry = z.output<typeof rowSchema>

export interface WallCaseResult {
  /** Null if none was written. */
  transcript: string | null
  /** Entries of the program's own errors, with volatile and private fields made stable. */
  written: RawEntry[]
  /** What `-p --output-format json` said of the failure. */
  result: Pick<
    z.output<typeof resultSchema>,
    'subtype' | 'is_error' | 'result' | 'api_error_status' | 'api_error_type' | 'api_error'
  > | null
  code: number | null
  stderr: string
  requests: RecordedRequest[]
}

export interface WallCaseOptions {
  sessionId: string
  instants: Instants
  env: Record<string, string>
  program?: string
}

/** Each row gets a separate account and config dir, named after the session id. */
export async function runWallCase(
  world: World,
  row: WallCase,
  options: WallCaseOptions,
): Promise<WallCaseResult> {
  const name = `row-${options.sessionId}`
  const account = world.standIn.account(name)
  account.plan = row.plan ?? 'max'
  const login = world.login(name, row.login ?? {})
  row.arrange(account, options.instants)
  const args = ['-p', '--output-format', 'json', '--session-id', options.sessionId]
  if (row.model !== undefined) args.push('--model', row.model)
  const env = world.env(login, { extra: options.env })
  const before = world.standIn.requests().length
  const ended = await runAgent([...args, '--', 'say hello'], {
    cwd: world.cwd,
    env,
    ...(options.program === undefined ? {} : { program: options.program }),
  })
  const transcript = transcriptIn(login.configDir, options.sessionId)
  const result = resultSchema.safeParse(parseJson(ended.stdout))
  return {
    transcript,
    written: transcript === null ? [] : errorRows(transcript),
    result: result.success ? pickResult(result.data) : null,
    code: ended.code,
    stderr: ended.stderr,
    requests: world.standIn
      .requests()
      .slice(before)
      .filter(({ path }) => path.startsWith('/v1/')),
  }
}

export function transcriptIn(configDir: string, sessionId: string): string | null {
  const projects = join(configDir, 'projects')
  if (!existsSync(projects)) return null
  const files = readdirSync(projects).map((folder) => join(projects, folder, `${sessionId}.jsonl`))
  return files.find((file) => existsSync(file)) ?? null
}

function readEntries(transcript: string): RawEntry[] {
  return readFileSync(transcript, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => rowSchema.parse(JSON.parse(line)))
}

const errorRows = (transcript: string): RawEntry[] =>
  readEntries(transcript)
    .filter((row) => row['isApiErrorMessage'] === true)
    .map(stable)

const made = '00000000-0000-4000-8000-000000000000'

const stableFields: Record<string, unknown> = {
  uuid: made,
  parentUuid: made,
  sessionId: made,
  promptId: made,
  requestId: 'req_0',
  cwd: '/home/me/work',
}

/**
 * Ids, folders and names of this run get constant values; instants stay, because texts and numbers state the
 * same ones.
 */
function stable(row: RawEntry): RawEntry {
  const message = z.looseObject({ id: z.string() }).safeParse(row['message'])
  return {
    ...row,
    ...Object.fromEntries(Object.entries(stableFields).filter(([field]) => field in row)),
    ...(message.success ? { message: { ...message.data, id: made } } : {}),
  }
}

const pickResult = (result: z.output<typeof resultSchema>): WallCaseResult['result'] => ({
  subtype: result.subtype,
  is_error: result.is_error,
  result: result.result,
  api_error_status: result.api_error_status,
  api_error_type: result.api_error_type,
  api_error: result.api_error,
})
