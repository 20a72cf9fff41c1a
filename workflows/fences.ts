/**
 * Fences start from the clock: hosts remember the newest one, and must not be given older ones if the engine's database was lost.
 */
import { now } from './now.js'

export const firstFence = (now: string): number => Math.floor(Date.parse(now) / 1000)

export const nextFence = (fence: number): number => Math.max(fence + 1, firstFence(now()))
