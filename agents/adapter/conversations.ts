/** Where an adapter finds the conversations of its program, and how it carries one to another place. */
import type { Place } from './place.js'

/** `changedAt`: ms since the epoch. */
export interface StoredConversation {
  sessionId: string
  changedAt: number
}

export interface ConversationAdapter {
  /** The conversation's transcript at this place, or null. */
  findTranscript(place: Place, sessionId: string): Promise<string | null>

  /** The config dir of a transcript, even if the configuration does not name it. */
  configDirOf(transcript: string): string

  /**
   * Copies the whole conversation from one place to another, and verifies that every byte arrived. Idempotent. A target that has
   * diverged from the source is kept beside the copy; one that continues the source (this carry is late) is left as it is.
   * Throws CarryError.
   */
  carry(input: { sessionId: string; from: Place; to: Place }): Promise<{ transcript: string; bytes: number }>

  /** Every conversation that has a transcript in this place. */
  listConversations(place: Place): Promise<StoredConversation[]>

  /** Deletes the conversation at this place, with all that belongs to it. Copies at other places stay. */
  deleteConversation(place: Place, sessionId: string): Promise<void>
}
