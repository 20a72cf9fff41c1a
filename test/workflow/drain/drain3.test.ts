import { drainAccounts } from './drain.js'

drainAccounts(2, 4)
