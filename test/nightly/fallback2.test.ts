import { drainFallback } from '../workflow/drain/drain.js'

drainFallback(1)
