/** Makes a place ready for unattended work, so that no first-run page holds a session up. */
import { mkdir } from 'node:fs/promises'
import type { Place } from '../agent.js'
import { type GlobalConfig, updateGlobal } from './globalFile.js'
import { trustedFolder } from './trust.js'

/** The program remembers an approved key by its end. */
const keyMarkLength = 20

/**
 * Marks onboarding as done, `cwd`'s repository as trusted (the user named it in `outpool start`), the question about
 * resuming from a summary as answered, and the place's own API key as approved. Idempotent; every other key stays.
 * Throws AgentFileError.
 */
export async function prepare(place: Place, cwd: string): Promise<void> {
  await mkdir(place.configDir, { recursive: true, mode: 0o700 })
  const folder = await trustedFolder(cwd)
  const key = place.env['ANTHROPIC_API_KEY']
  const keyMark = key === undefined || key === '' ? null : key.slice(-keyMarkLength)
  await updateGlobal(place, (config) =>
    isReady(config, folder, keyMark) ? null : made(config, folder, keyMark),
  )
}

function isReady(config: GlobalConfig, folder: string, keyMark: string | null): boolean {
  return (
    config.hasCompletedOnboarding === true &&
    config.resumeReturnDismissed === true &&
    config.projects?.[folder]?.['hasTrustDialogAccepted'] === true &&
    (keyMark === null || config.customApiKeyResponses?.approved?.includes(keyMark) === true)
  )
}

function made(config: GlobalConfig, folder: string, keyMark: string | null): Partial<GlobalConfig> {
  const { approved = [], rejected = [] } = config.customApiKeyResponses ?? {}
  return {
    hasCompletedOnboarding: true,
    resumeReturnDismissed: true,
    projects: {
      ...config.projects,
      [folder]: { ...config.projects?.[folder], hasTrustDialogAccepted: true },
    },
    ...(keyMark === null
      ? {}
      : {
          customApiKeyResponses: {
            ...config.customApiKeyResponses,
            approved: [...new Set([...approved, keyMark])],
            rejected: rejected.filter((mark) => mark !== keyMark),
          },
        }),
  }
}
