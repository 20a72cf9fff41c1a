import { drainAccounts } from './drain.js'

drainAccounts(1, 4)
