/**
 * Names of changes that running workflows must not see half-way. A run that began before the change goes on as it was; at its
 * next continue-as-new it is as new. A name may go once no run that is older than the change can be left.
 */
export const patches = {
  /** The pool looks for leases that were left behind less often while nobody waits. */
  sparingReconcile: 'sparing-reconcile',
  /** A person is told, and not only shown, that a woken agent asks something. */
  tellThatItAsks: 'tell-that-it-asks',
} as const
