import { drainFallback } from './drain.js'

drainFallback(3, 5)
