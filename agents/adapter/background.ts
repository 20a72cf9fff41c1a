/** What an adapter knows of the work that its program does in the background, and that would end with the process. */
import type { ScheduledPrompt, UnfinishedWork } from '../../policy/session/backgroundTasks.js'

export interface BackgroundAdapter {
  /**
   * Background tasks and plans of the process that wrote from `offset` (bytes) on, as far as the transcript shows neither their end
   * nor that the model knows of it.
   */
  readUnfinishedWork(transcript: string, offset: number): Promise<UnfinishedWork>

  /** Copies the transcripts of subagents to another transcript of the same conversation. Returns those that can be continued there. */
  copySubagents(from: string, to: string, ids: readonly string[]): Promise<string[]>

  /** Whether the conversation shows that the plan was carried out, replaced or cancelled after `since`. */
  isPlanOver(
    transcript: string,
    plan: Pick<ScheduledPrompt, 'id' | 'prompt'>,
    since: string,
  ): Promise<boolean>
}
