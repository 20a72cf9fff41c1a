#!/bin/sh
# Runs in a pane while no agent does, and saves what a person types there to FILE for the next agent.
#
#   hold.sh FILE
#
# Saves whole lines as they come. The terminal holds an unfinished line, so that it can still be edited; it is saved at the
# end (TERM).
umask 077
# Ctrl-C and Ctrl-D are meant for an agent, and none is running.
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
  # The terminal is gone, so no more input can come.
  stty > /dev/null 2>&1 || exit 0
done
