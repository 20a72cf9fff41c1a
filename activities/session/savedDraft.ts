/** The draft that waits for a session's next process: one file of this host, replaced whole. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../config/state/readJson.js'
import { writeFileAtomic } from '../../host/state/atomicFile.js'
import type { Host } from '../../host/host.js'

/** What a person has typed but not sent; `shell` if the input line takes it for a shell command. */
export interface Draft {
  text: string
  mode: 'words' | 'shell'
}

const draftSchema = z.object({
  text: z.string(),
  mode: z.enum(['words', 'shell']),
  /** Files of typed keys that the text contains already: a worker may be killed before it has removed them. */
  merged: z.array(z.string()),
})
type SavedDraft = z.output<typeof draftSchema>

/** Only names of files that may still exist are needed; older ones have long been removed. */
const maxMerged = 20

const draftFile = (host: Host, session: string): string => join(host.records.folder(session), 'draft.json')

export const savedDraft = (host: Host, session: string): SavedDraft | null =>
  readJson(draftFile(host, session), draftSchema)

/** Several drafts become one, in words: a command among them must not be run with the rest. */
export function writeDrafts(host: Host, session: string, drafts: readonly Draft[]): void {
  const [first, ...others] = drafts
  if (first === undefined) return
  const inWords = ({ text, mode }: Draft): string => (mode === 'shell' ? `! ${text}` : text)
  const { text, mode }: Draft =
    others.length === 0 ? first : { text: drafts.map(inWords).join('\n'), mode: 'words' }
  write(host, session, { text, mode, merged: savedDraft(host, session)?.merged ?? [] })
}

/** Adds keys that a person pressed while there was no agent, once per `source`. */
export function addTypedKeys(host: Host, session: string, keys: string, source: string): void {
  const before = savedDraft(host, session)
  if (keys === '' || before?.merged.includes(source) === true) return
  const merged = [...(before?.merged ?? []), source].slice(-maxMerged)
  // At an empty input line, the agent takes a leading ! as the switch to shell commands.
  const isCommand = before === null && keys.startsWith('!')
  const added: Draft = isCommand ? { text: keys.slice(1), mode: 'shell' } : { text: keys, mode: 'words' }
  write(host, session, {
    text: (before?.text ?? '') + added.text,
    mode: before?.mode ?? added.mode,
    merged,
  })
}

export const dropDraft = (host: Host, session: string): void => {
  rmSync(draftFile(host, session), { force: true })
}

const write = (host: Host, session: string, draft: SavedDraft): void =>
  writeFileAtomic(draftFile(host, session), JSON.stringify(draft))
