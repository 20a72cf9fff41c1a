import { drainPart } from './drain.js'

drainPart(0, 7)
