/** What a program of the host prints about folders in which an agent would work: the projects whose settings no person has trusted. */
import { z } from 'zod'

export const untrustedSchema = z.array(
  z.object({
    /** Who works there, such as `task garden`; null for a folder that was asked for by its path. */
    user: z.string().nullable(),
    cwd: z.string(),
    found: z.array(z.object({ file: z.string(), does: z.array(z.string()) })),
  }),
)
/** One entry for each folder with untrusted settings. */
export type UntrustedFolders = z.output<typeof untrustedSchema>

export const describeSettings = (found: readonly { file: string; does: readonly string[] }[]): string =>
  found.map(({ file, does }) => `${file} sets ${does.join(', ')}`).join('; ')

export const describeUntrusted = ({ user, cwd, found }: UntrustedFolders[number]): string =>
  `${user ?? 'an agent'} is refused in ${cwd}: ${describeSettings(found)}`
