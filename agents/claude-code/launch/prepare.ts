/** Prepares a place for unattended work, so that no first-run page blocks a session. */
import { mkdir } from 'node:fs/promises'
import type { Place } from '../../adapter/place.js'
import { answeredImports } from '../setup/answers.js'
import { type GlobalConfig, updateGlobalConfig } from '../setup/globalFile.js'
import { trustedFolder } from '../setup/trust.js'

/** The program stores the end of an approved key, of this length. */
const keyMarkLength = 20

/**
 * Marks onboarding as done, `cwd`'s repository as trusted (the user named it in `outpool start`), the question about
 * resuming from a summary as answered, and the place's own API key as approved. A person's answer at one of `placesWithAnsweredPages` about
 * imports from outside the project is copied if this place has none. Idempotent; all other keys stay. Throws AgentFileError.
 */
export async function prepare(
  place: Place,
  cwd: string,
  placesWithAnsweredPages: readonly Place[] = [],
): Promise<void> {
  await mkdir(place.configDir, { recursive: true, mode: 0o700 })
  const folder = await trustedFolder(cwd)
  const key = place.env['ANTHROPIC_API_KEY']
  const keyMark = key === undefined || key === '' ? null : key.slice(-keyMarkLength)
  const importsFor = await answeredImports(placesWithAnsweredPages, cwd)
  await updateGlobalConfig(place, (config) => {
    const imports = importsFor(config)
    const ready = isReady(config, folder, keyMark) ? null : preparedConfig(config, folder, keyMark)
    if (imports.length === 0) return ready
    return { ...ready, projects: withImports(ready?.projects ?? config.projects ?? {}, imports) }
  })
}

type Projects = NonNullable<GlobalConfig['projects']>

/** In the format in which the program itself stores an answer. */
const withImports = (projects: Projects, imports: readonly (readonly [string, boolean])[]): Projects => ({
  ...projects,
  ...Object.fromEntries(
    imports.map(([key, isApproved]) => [
      key,
      {
        ...projects[key],
        hasClaudeMdExternalIncludesApproved: isApproved,
        hasClaudeMdExternalIncludesWarningShown: true,
      },
    ]),
  ),
})

function isReady(config: GlobalConfig, folder: string, keyMark: string | null): boolean {
  return (
    config.hasCompletedOnboarding === true &&
    config.resumeReturnDismissed === true &&
    config.projects?.[folder]?.['hasTrustDialogAccepted'] === true &&
    (keyMark === null || config.customApiKeyResponses?.approved?.includes(keyMark) === true)
  )
}

function preparedConfig(config: GlobalConfig, folder: string, keyMark: string | null): Partial<GlobalConfig> {
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
