#!/bin/sh
# What many write for themselves: once a minute it looks at the pane and at the status line, and where the account is spent it
# starts the same conversation under the next one.
#
#   loop.sh PANE CONFIG_DIR NEXT_CONFIG_DIR COMMAND
set -u
pane=$1 here=$2 next=$3 command=$4
while sleep 60; do
  used=$(sed -n 's/.*"five_hour":{"used_percentage":\([0-9]*\).*/\1/p' "$here/status.json" 2> /dev/null)
  if [ "${used:-0}" -lt 100 ] && ! tmux capture-pane -p -t "$pane" | grep -qi "hit your .*limit"; then continue; fi
  echo walled
  transcript=$(ls -t "$here"/projects/*/*.jsonl | head -n 1)
  mkdir -p "$next/projects/$(basename "$(dirname "$transcript")")"
  cp "$transcript" "$next/projects/$(basename "$(dirname "$transcript")")/"
  id=$(basename "$transcript" .jsonl)
  tmux respawn-pane -k -t "$pane" -e "CLAUDE_CONFIG_DIR=$next" "$command --resume $id 'Continue the task.'"
  echo moved
  spent=$here here=$next next=$spent
done
