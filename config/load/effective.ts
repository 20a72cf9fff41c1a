/** A file with every default filled in, as `outpool config show` prints it: in the form of the file, secrets hidden. */
import { parse, stringify } from 'yaml'
import { isLoginVariable, isSecretVariable } from '../../policy/independence/envKinds.js'
import { editorSchema } from '../schema/file.js'
import { isMapping } from './isMapping.js'

/** Expects the text of a valid file. Defaults that depend on other keys, such as the timeout of a task, are not filled in. */
export const effectiveConfig = (text: string): unknown =>
  hideSecrets(fillIn(editorSchema(), parse(text) ?? {}))

export const formatConfig = (config: unknown): string => stringify(config, { lineWidth: 0 }).trimEnd()

/** In the order of the schema. */
function fillIn(schema: unknown, value: unknown): unknown {
  if (!isMapping(schema)) return value
  const { properties, items, anyOf, additionalProperties } = schema
  const given = value === undefined ? schema['default'] : value
  if (Array.isArray(given)) return given.map((item) => fillIn(items, item))
  if (!isMapping(given)) return given
  if (Array.isArray(anyOf))
    return fillIn(
      anyOf.find((one) => isMapping(one) && 'properties' in one),
      given,
    )
  if (isMapping(properties)) {
    const entries = Object.entries(properties).map(([key, of]) => [key, fillIn(of, given[key])] as const)
    return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined))
  }
  return Object.fromEntries(
    Object.entries(given).map(([key, entry]) => [key, fillIn(additionalProperties, entry)]),
  )
}

const hidden = '(hidden)'
/** Keys whose value is a secret, unless it is a reference to one. */
const secretKeys = new Set(['password', 'slack', 'ntfy', 'token'])

function hideSecrets(value: unknown, key = '', isEnv = false): unknown {
  if (typeof value === 'string') {
    const isSecret = isEnv ? isLoginVariable(key) || isSecretVariable(key) : secretKeys.has(key)
    return isSecret ? hidden : value
  }
  if (Array.isArray(value)) return value.map((item) => hideSecrets(item))
  if (!isMapping(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, hideSecrets(entry, name, key === 'env')]),
  )
}
