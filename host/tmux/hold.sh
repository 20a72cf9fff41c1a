#!/bin/sh
# Stands in a pane while no agent does, so that nothing a person types there is lost: it is kept in FILE for the next agent.
#
#   hold.sh FILE
#
# Whole lines are kept as they come. A line that was not finished stays in the terminal's own hands, where it can still be
# edited; at the end (TERM) it is taken as it stands.
umask 077
# Ctrl-C and Ctrl-D are for an agent that is not there.
stty -isig eof undef 2> /dev/null
exec 3<&0
# The shell waits and another process reads: a signal ends `wait` at once, but would not end a read. The reader is never
# killed, since it may hold a line that it has read and not yet written. With the terminal no longer waiting for whole lines, a
# read that is begun again (which stop and continue bring about) returns what is there, and the next one the end.
trap 'stty -icanon min 0 time 0; kill -s STOP "$reader"; kill -s CONT "$reader"; wait "$reader"; cat <&3 >> "$1"; exit 0' TERM
printf 'outpool: no agent is here now; the line below says why. What you type reaches the next one.\n\n'
while :; do
  cat <&3 >> "$1" &
  reader=$!
  wait "$reader"
  # The terminal is gone: nobody can type any more.
  stty > /dev/null 2>&1 || exit 0
done
