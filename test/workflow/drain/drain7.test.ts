import { drainAccounts } from './drain.js'

drainAccounts(6, 7)
