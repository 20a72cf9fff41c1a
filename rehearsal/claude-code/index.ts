/** The scenes that check every expectation of Claude Code. */
import type { Scene } from '../checks.js'
import type { Context } from './context.js'
import { conversation } from './conversation.js'
import { accounts, pages } from './pages.js'
import { typing } from './typing.js'
import { walls } from './walls.js'
import { work } from './work.js'

/** The longest first: they run beside each other. */
export const scenes: readonly Scene<Context>[] = [conversation, typing, work, pages, walls, accounts]
