/** What an adapter believes of its agent program, which changes under us. One list for each adapter, for tests and for people. */
export interface Expectation {
  /** Kebab case, for good: verdicts and tests refer to it. */
  name: string
  /** The belief, as a sentence that can be checked on the installed program. */
  statement: string
  /** What a person has to expect of Outpool where it is false. */
  consequence: string
}
