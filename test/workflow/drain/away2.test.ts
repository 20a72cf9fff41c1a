import { drainAway } from './drain.js'

drainAway(1, 5)
