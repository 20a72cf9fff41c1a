import { drainFallback } from './drain.js'

drainFallback(2, 5)
