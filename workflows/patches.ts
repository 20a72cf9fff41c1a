/**
 * Names of changes that running workflows must not see half-way. A run that began before the change goes on as it was; at its
 * next continue-as-new it is as new. A name may go once no run that is older than the change can be left.
 */
export const patches = {
  /** The pool looks for leases that were left behind less often while nobody waits. */
  sparingReconcile: 'sparing-reconcile',
  /** A person is told, and not only shown, that a woken agent asks something. */
  tellThatItAsks: 'tell-that-it-asks',
  /** The launch carries the conversation; before, each carry was a step of its own. */
  carryWithLaunch: 'carry-with-launch',
  /** Histories of sessions and pools are cut early, where nothing is under way; before, when the engine suggested it. */
  renewAtRest: 'renew-at-rest',
  /** A session that its host would not watch says so, and pauses grow; before, it was tried again and again without a word. */
  tellUnwatched: 'tell-unwatched',
  /** The host of a walled session asks for its place, and the launch stops the old process; before, each was a step of the session. */
  askWithWatch: 'ask-with-watch',
} as const
