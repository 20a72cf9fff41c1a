// The standing work: something is done every second, and the beat comes from where it is done.
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { beat } from 'outpool/beat'

mkdirSync('work', { recursive: true })

/** What the reader of the README has put into the file `trouble`. */
function trouble() {
  try {
    return readFileSync('trouble', 'utf8').trim()
  } catch {
    return null
  }
}

function cycle() {
  if (trouble() === 'exit') {
    console.error('the file `trouble` tells me to end')
    process.exit(1)
  }
  if (trouble() === 'hang') return
  appendFileSync('work/done.log', `${new Date().toISOString()} a cycle\n`)
  beat('loop', { doing: 'a cycle' })
}

console.log(`the loop runs as ${process.pid}`)
cycle()
setInterval(cycle, 1_000)
