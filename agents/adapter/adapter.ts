/** What Outpool needs of an agent program. An adapter implements this interface for one program; no other code knows the program. */
import type { AccountAdapter } from './account.js'
import type { BackgroundAdapter } from './background.js'
import type { ConversationAdapter } from './conversations.js'
import type { DialogAdapter } from './dialogs.js'
import type { InputLineAdapter } from './inputLine.js'
import type { LaunchAdapter } from './launch.js'
import type { LivenessAdapter } from './liveness.js'
import type { TranscriptAdapter } from './transcript.js'
import type { AgentCommand } from './place.js'

/** Each part is in the file of its subject. What an adapter may provide beyond that is in adopter.ts and examiner.ts. */
export interface AgentAdapter
  extends
    LaunchAdapter,
    LivenessAdapter,
    ConversationAdapter,
    TranscriptAdapter,
    BackgroundAdapter,
    DialogAdapter,
    InputLineAdapter,
    AccountAdapter {
  readonly name: string
  /** Whether a conversation's id can be chosen before its first launch. */
  readonly canChooseSessionId: boolean

  /** The program's version, for `doctor`. Throws AgentProgramError if it cannot be run. */
  version(command: AgentCommand): Promise<string>
}
