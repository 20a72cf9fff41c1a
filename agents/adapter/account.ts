/** What an adapter knows of the account at a place: who is logged in, and how much of its budgets is used. */
import type { AccountReading, Window } from '../../policy/account/account.js'
import type { AgentCommand, Place } from './place.js'

export interface AccountAdapter {
  /** Login identity and cached windows, read without starting the program or spending anything. */
  readIdentity(place: Place): Promise<{ identity: string | null; email: string | null; windows: Window[] }>

  /** Asks the program for login and usage; spends no budget. Windows are empty if it could not tell. */
  probe(place: Place, command: AgentCommand, now: () => string): Promise<Omit<AccountReading, 'account'>>
}
