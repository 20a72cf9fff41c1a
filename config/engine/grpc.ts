/** What a failed call of the engine says, by the status codes of gRPC. */
import { ServiceError, isGrpcServiceError } from '@temporalio/client'

export const grpcStatus = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  failedPrecondition: 9,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** The status code of the gRPC failure behind an error, or null. */
export function grpcCode(error: unknown): number | null {
  if (isGrpcServiceError(error)) return error.code
  return error instanceof ServiceError && isGrpcServiceError(error.cause) ? error.cause.code : null
}

const unanswered: readonly (number | null)[] = [
  grpcStatus.deadlineExceeded,
  // The engine's own deadline passed just before ours.
  grpcStatus.cancelled,
  grpcStatus.failedPrecondition,
]

/** Whether no worker answered: in time, or because the engine knows of none. */
export const isUnanswered = (error: unknown): boolean => unanswered.includes(grpcCode(error))
