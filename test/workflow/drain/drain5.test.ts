import { drainPart } from './drain.js'

drainPart(4, 7)
