/** Prepares the hand-over of forks to their original conversation. Its text never leaves the host (law 11). */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentAdapter } from '../../agents/adapter/adapter.js'
import type { ForkDigest } from '../../agents/adapter/transcript.js'
import { handOver, handOverMark, type ForkReport } from './handOverText.js'
import type { LaunchRequest } from '../contracts.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'

/** In the session's own folder. */
export const handOverFolder = 'hand-over'

export interface PreparedHandOver {
  /** The file whose text goes with the next prompt, or null. */
  file: string | null
  /** Forks that need no hand-over: handed over already, never used, or gone. */
  settled: string[]
}

/**
 * The conversation's own transcript shows which forks were handed over: a hand-over that was lost in a crash is prepared again, and
 * none is given twice. `conversation` is the transcript with which the new process continues, or null.
 */
export async function prepareHandOver(
  host: Host,
  adapter: AgentAdapter,
  request: LaunchRequest,
  conversation: string | null,
): Promise<PreparedHandOver> {
  const folder = join(host.records.folder(request.session), handOverFolder)
  const file = join(folder, 'next.md')
  rmSync(file, { force: true })
  const settled: string[] = []
  const reports: ForkReport[] = []
  for (const fork of request.forks ?? []) {
    const report = await reportOf(host, adapter, request, conversation, fork)
    if (report === null) settled.push(fork)
    else reports.push(report)
  }
  const wholeFile = join(folder, fullHandOverName(request.fence))
  const text = handOver(reports, wholeFile)
  if (text === null) return { file: null, settled }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (text.full !== null) writeFileAtomic(wholeFile, text.full)
  writeFileAtomic(file, text.message)
  return { file, settled }
}

const fullHandOverName = (fence: number): string => `forks-${fence}.md`
/** The fence of the launch for which a file was prepared; null for a file that is not a full hand-over. */
export const handOverFence = (name: string): number | null => {
  const [, fence] = /^forks-(\d+)\.md$/.exec(name) ?? []
  return fence === undefined ? null : Number(fence)
}

async function reportOf(
  host: Host,
  adapter: AgentAdapter,
  { sessionId, forkOf }: LaunchRequest,
  conversation: string | null,
  fork: string,
): Promise<ForkReport | null> {
  const transcript = await host.newestTranscript(adapter, fork)
  if (transcript === null) return null
  const original = await host.newestTranscript(adapter, forkOf ?? sessionId)
  const digest = await unreportedWork(adapter, conversation, original?.path ?? null, fork, transcript.path)
  return digest === null ? null : { fork, transcript: transcript.path, ...digest }
}

/** The fork's work that was not handed over to the conversation yet; null if there is none. */
export const unreportedWork = async (
  adapter: AgentAdapter,
  conversation: string | null,
  original: string | null,
  fork: string,
  transcript: string,
): Promise<ForkDigest | null> =>
  conversation !== null && (await adapter.containsText(conversation, handOverMark(fork)))
    ? null
    : adapter.readForkDigest(transcript, original)
