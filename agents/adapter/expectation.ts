import type { Feature } from '../../policy/features.js'

/** One thing that an adapter expects of its agent program, which may change with any version. Each adapter has one list of them. */
export interface Expectation {
  /** In kebab case. Never changed: verdicts and tests refer to it. */
  name: string
  /** The expectation, as a sentence that can be checked on the installed program. */
  statement: string
  /** What goes wrong with Outpool if it is false. */
  consequence: string
  /** Whether sessions cannot be kept going without it. Default: a feature is lost, or slower. */
  isEssential?: true
  /** What is switched off while it is broken. Default: nothing, since Outpool goes on without it as well as it can. */
  feature?: Feature
}
