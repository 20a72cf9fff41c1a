import { drainAccounts } from './drain.js'

drainAccounts(5, 7)
