/** Lays ready what a conversation is to be told of the forks that worked in its place. Nothing of it leaves the host (law 11). */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentAdapter } from '../agents/agent.js'
import { handOver, handOverMark, type ForkReport } from '../policy/handOver.js'
import type { LaunchRequest } from './contracts.js'
import { writeFileAtomic } from './files.js'
import type { Host } from './host.js'

export interface LaidReady {
  /** What the next prompt brings along, or null. */
  file: string | null
  /** Forks of which nothing has to be told: told already, never used, or gone. */
  settled: string[]
}

/**
 * Which forks a conversation was told of, its transcript says itself: whatever was lost in a crash is laid ready again, and
 * nothing is told twice. `conversation` is the transcript that the new process goes on with, or null.
 */
export async function layHandOver(
  host: Host,
  adapter: AgentAdapter,
  request: LaunchRequest,
  conversation: string | null,
): Promise<LaidReady> {
  const folder = join(host.records.folder(request.session), 'hand-over')
  const file = join(folder, 'next.md')
  rmSync(file, { force: true })
  const settled: string[] = []
  const reports: ForkReport[] = []
  for (const fork of request.forks ?? []) {
    const report = await reportOf(host, adapter, request, conversation, fork)
    if (report === null) settled.push(fork)
    else reports.push(report)
  }
  const wholeFile = join(folder, `forks-${request.fence}.md`)
  const laid = handOver(reports, wholeFile)
  if (laid === null) return { file: null, settled }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (laid.full !== null) writeFileAtomic(wholeFile, laid.full)
  writeFileAtomic(file, laid.message)
  return { file, settled }
}

async function reportOf(
  host: Host,
  adapter: AgentAdapter,
  { sessionId, forkOf }: LaunchRequest,
  conversation: string | null,
  fork: string,
): Promise<ForkReport | null> {
  if (conversation !== null && (await adapter.holds(conversation, handOverMark(fork)))) return null
  const transcript = await host.newestTranscript(adapter, fork)
  if (transcript === null) return null
  const original = await host.newestTranscript(adapter, forkOf ?? sessionId)
  const digest = await adapter.forkDigest(transcript.path, original?.path ?? null)
  return digest === null ? null : { fork, transcript: transcript.path, ...digest }
}
