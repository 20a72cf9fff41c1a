import { drainAway } from './drain.js'

drainAway(2, 5)
