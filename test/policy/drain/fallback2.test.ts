import { drainFallback } from './drain.js'

drainFallback(1, 2)
