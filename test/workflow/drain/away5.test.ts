import { drainAway } from './drain.js'

drainAway(4, 5)
