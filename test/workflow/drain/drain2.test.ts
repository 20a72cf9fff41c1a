import { drainPart } from './drain.js'

drainPart(1, 7)
