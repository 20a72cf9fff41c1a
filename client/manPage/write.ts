/** Writes the manual page to the file that is named; run by the build. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { version } from '../../config/version.js'
import { commandTree } from '../commandTree/commandTree.js'
import { manPage } from './manPage.js'

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('name the file to write')
mkdirSync(dirname(file), { recursive: true })
writeFileSync(file, manPage(commandTree, version()))
