/** The kinds of failure of a step on a host. They are the types of the engine's failures, by which workflows tell them apart. */
export const failureKinds = {
  staleFence: 'StaleFence',
  launchFailed: 'LaunchFailed',
  pageOpen: 'PageOpen',
  programFailed: 'ProgramFailed',
  stopFailed: 'StopFailed',
  conversationHeld: 'ConversationHeld',
  conversationUnreachable: 'ConversationUnreachable',
  conversationChanged: 'ConversationChanged',
  textNotTaken: 'TextNotTaken',
  lineOccupied: 'LineOccupied',
  commandRefused: 'CommandRefused',
  textRefused: 'TextRefused',
  draftUnreadable: 'DraftUnreadable',
  carryFailed: 'CarryFailed',
  unknownPlace: 'UnknownPlace',
  secretMissing: 'SecretMissing',
  workFolderUnusable: 'WorkFolderUnusable',
  projectUntrusted: 'ProjectUntrusted',
  promptMissing: 'PromptMissing',
  fileRefused: 'FileRefused',
  unknownTask: 'UnknownTask',
  tmuxFailed: 'TmuxFailed',
  sharedDomain: 'SharedDomain',
  unknownService: 'UnknownService',
  agentBusy: 'AgentBusy',
  adoptionImpossible: 'AdoptionImpossible',
  notSealed: 'NotSealed',
} as const

export type FailureKind = (typeof failureKinds)[keyof typeof failureKinds]

const kinds: readonly string[] = Object.values(failureKinds)

export const isFailureKind = (type: string | null | undefined): type is FailureKind =>
  typeof type === 'string' && kinds.includes(type)
