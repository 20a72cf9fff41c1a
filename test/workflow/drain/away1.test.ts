import { drainAway } from './drain.js'

drainAway(0, 5)
