import { drainPart } from './drain.js'

drainPart(3, 7)
