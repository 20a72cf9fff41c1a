import { readFileSync } from 'node:fs'

/** The version of the package, from the manifest above the compiled files or the sources. */
export function version(): string {
  for (const above of ['../package.json', '../../package.json']) {
    const found = versionIn(new URL(above, import.meta.url))
    if (found !== null) return found
  }
  return 'unknown'
}

function versionIn(manifest: URL): string | null {
  let text: string
  try {
    text = readFileSync(manifest, 'utf8')
  } catch {
    return null
  }
  const parsed: unknown = JSON.parse(text)
  return typeof parsed === 'object' &&
    parsed !== null &&
    'version' in parsed &&
    typeof parsed.version === 'string'
    ? parsed.version
    : null
}
