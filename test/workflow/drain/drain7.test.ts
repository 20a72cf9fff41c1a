import { drainPart } from './drain.js'

drainPart(6, 7)
