/**
 * Which features are off on this host, by agent program: what a rehearsal of the installed version has found broken is not relied on. A
 * version that was never rehearsed has everything on.
 */
import type { Home } from '../../config/state/home.js'
import { hasBrokenVerdict, lastRehearsedAt, readVerdict } from '../../config/state/rehearsals.js'
import { type Feature, type FeatureOff, featuresOff, isOff } from '../../policy/features.js'

export class AgentFeatures {
  readonly #home: Home
  readonly #versionOf: (agent: string) => Promise<string | null>
  readonly #off = new Map<string, readonly FeatureOff[]>()
  /** Of each agent: whether any verdict switches something off, as of the newest one. A herd asks for it hundreds of times. */
  readonly #broken = new Map<string, { at: number | null; isAny: boolean }>()

  /** `versionOf`: the version that would be launched now; null if there is none. */
  constructor(home: Home, versionOf: (agent: string) => Promise<string | null>) {
    this.#home = home
    this.#versionOf = versionOf
  }

  /** As of the last review. */
  off(agent: string): readonly FeatureOff[] {
    return this.#off.get(agent) ?? []
  }

  /** As of the last review. */
  isOff(agent: string, feature: Feature): boolean {
    return isOff(this.off(agent), feature)
  }

  /**
   * To be called when another version may be installed, or was rehearsed. Starts the program only if there is a verdict that switches
   * something off.
   */
  async review(agent: string): Promise<readonly FeatureOff[]> {
    const version = this.#hasBroken(agent) ? await this.#versionOf(agent) : null
    const verdict = version === null ? null : readVerdict(this.#home, agent, version)
    const off = verdict === null ? [] : featuresOff(verdict.results)
    this.#off.set(agent, off)
    return off
  }

  #hasBroken(agent: string): boolean {
    const at = lastRehearsedAt(this.#home)
    const known = this.#broken.get(agent)
    if (known?.at === at) return known.isAny
    const isAny = hasBrokenVerdict(this.#home, agent)
    this.#broken.set(agent, { at, isAny })
    return isAny
  }
}
