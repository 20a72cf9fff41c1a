/** What a step on a host can fail with: the types of the engine's failures, by which workflows tell one failure from another. */
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
  carryFailed: 'CarryFailed',
  unknownPlace: 'UnknownPlace',
  secretMissing: 'SecretMissing',
  workFolderMissing: 'WorkFolderMissing',
  promptMissing: 'PromptMissing',
  unknownTask: 'UnknownTask',
  tmuxFailed: 'TmuxFailed',
  sharedDomain: 'SharedDomain',
  unknownService: 'UnknownService',
} as const

export type FailureKind = (typeof failureKinds)[keyof typeof failureKinds]
