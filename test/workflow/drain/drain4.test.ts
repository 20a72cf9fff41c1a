import { drainAccounts } from './drain.js'

drainAccounts(3, 4)
