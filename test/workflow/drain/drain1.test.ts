import { drainAccounts } from './drain.js'

drainAccounts(0)
