/** Tests of files that belong to another user of this machine: only root can make them. */
export const isRoot = process.getuid?.() === 0
export const otherUser = 65_533
