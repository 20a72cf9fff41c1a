/** How large the result of each activity may be. The engine refuses results of 2 MB, and histories should stay far below that. */
import type { CommonActivities, DrillActivities, HostActivities } from './contracts.js'
import type { AdoptionActivities } from './adoption/contracts.js'
import type { ServiceActivities } from './services/contracts.js'
import type { TaskActivities } from './tasks/contracts.js'

type Activity =
  | keyof HostActivities
  | keyof DrillActivities
  | keyof CommonActivities
  | keyof AdoptionActivities
  | keyof ServiceActivities
  | keyof TaskActivities

const kilobyte = 1_024
/** A few names, numbers and sentences. */
const few = 32 * kilobyte
/** The readings of every account of a host, about 1 KB for each, or the names of all sessions. */
const readings = 512 * kilobyte

/** Characters of the result as JSON. */
const resultLimits: Record<Activity, number> = {
  launchAgent: readings,
  stopAgent: few,
  interruptAgent: few,
  watchAgent: readings,
  requestFailback: few,
  deliverText: few,
  queuePlannedWakeUp: few,
  answerQuestion: few,
  readAccounts: readings,
  recordEvents: few,
  sendNotice: few,
  probeAccount: few,
  prepareDrill: few,
  watchDrill: few,
  writeDrillReport: few,
  awaitAdoption: few,
  returnAgent: few,
  settleAdoption: few,
  releaseAgent: few,
  listRunningSessions: readings,
  watchService: few,
  checkService: few,
  startService: few,
  retireService: few,
  awaitServiceRecovery: few,
  prepareWakeUp: few,
  watchWakeUp: few,
  endWakeUp: few,
  verifyService: few,
  noteIncident: few,
  closeIncident: few,
  runProgram: few,
  pollMail: few,
  prepareAgentTask: few,
  saveAnswer: few,
}

/** An activity that is not listed, as only a test has one, gets the smallest limit. */
export const resultLimitOf = (activity: string): number =>
  Object.hasOwn(resultLimits, activity) ? resultLimits[activity as Activity] : few
