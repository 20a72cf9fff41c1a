import { drainFallback } from './drain.js'

drainFallback(4, 5)
