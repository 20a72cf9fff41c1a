/** Commands about the tasks of the loop and guarded services. */
import { type DeclaredCommand, json } from './commandSpec.js'

export const tasksAndServices: readonly DeclaredCommand[] = [
  {
    name: 'services',
    description: 'list guarded services',
    options: [
      {
        flags: '--pause <name>',
        description: 'keep checking this service, but do not touch it',
        completion: 'service',
      },
      { flags: '--resume <name>', description: 'guard it again', completion: 'service' },
      {
        flags: '--restart <name>',
        description: 'end and start it now, whether or not it is well',
        completion: 'service',
      },
      json,
    ],
    run: async (context) => (await import('../commands/services.js')).services(context),
  },
  {
    name: 'check',
    description: 'check a service now; exits with 0 if it is well or busy',
    args: [{ name: '<service>', description: 'name of the service', completion: 'service' }],
    options: [json],
    run: async (context) => (await import('../commands/check.js')).check(context),
  },
  {
    name: 'beat',
    description: 'write the heartbeat of a service, called by the service itself',
    args: [{ name: '<service>', description: 'name of the service', completion: 'service' }],
    options: [
      { flags: '--doing <text>', description: 'what the service is doing, in a few words' },
      { flags: '--pid <pid>', description: 'its process (default: the parent of this command)' },
    ],
    run: async (context) => (await import('../commands/beat.js')).beat(context),
  },
  {
    name: 'incidents',
    description: 'list incidents of services, or show the report of one',
    args: [
      { name: '[what]', description: 'show, to print the report of one incident', choices: ['show'] },
      { name: '[n]', description: 'number of the incident' },
    ],
    options: [json],
    examples: ['outpool incidents show 3'],
    run: async (context) => (await import('../commands/incidents.js')).incidents(context),
  },
  {
    name: 'tasks',
    description: 'list the tasks of the loop with the results of their newest runs',
    options: [
      { flags: '--pause <task>', description: 'stop running this task on schedule', completion: 'task' },
      { flags: '--resume <task>', description: 'run this task on schedule again', completion: 'task' },
      json,
    ],
    run: async (context) => (await import('../commands/tasks.js')).tasks(context),
  },
  {
    name: 'run',
    description: 'run a task now and wait until it ends',
    args: [{ name: '<task>', description: 'name of the task', completion: 'task' }],
    options: [{ flags: '--detach', description: 'do not wait' }],
    run: async (context) => (await import('../commands/run.js')).run(context),
  },
]
