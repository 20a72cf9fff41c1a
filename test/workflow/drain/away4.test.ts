import { drainAway } from './drain.js'

drainAway(3, 5)
