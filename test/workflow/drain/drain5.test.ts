import { drainAccounts } from './drain.js'

drainAccounts(4, 7)
