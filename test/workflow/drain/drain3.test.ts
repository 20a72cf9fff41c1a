import { drainPart } from './drain.js'

drainPart(2, 7)
