import { drainFallback } from './drain.js'

drainFallback(1)
