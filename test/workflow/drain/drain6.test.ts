import { drainPart } from './drain.js'

drainPart(5, 7)
