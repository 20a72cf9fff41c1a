import { drainAccounts } from '../workflow/drain/drain.js'

drainAccounts(3)
