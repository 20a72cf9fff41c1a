#!/bin/sh
# What the agent runs for its hooks and its status line: leaves one report for Outpool and gets out of the way.
#
#   report.sh REPORT_DIR EVENT SESSION FENCE keep|newest|drop [STATUS_LINE_COMMAND]
#
# It starts no process that it can do without, prints nothing of its own, and ends with 0 whatever happens:
# a full disk or a missing folder costs a report, never a turn. Why it is a shell script, and what its files
# promise to their reader, is in docs/decisions/0005-reports-as-files.md. Its variables bear a prefix because one of the same
# name in the environment would reach the user's own status line with our value.
op_folder=$1
op_name=$3.$4.$2
op_try=0

# Takes a free name with O_EXCL: a process id comes back one day, or lives twice in two containers.
claim() {
  while [ "$op_try" -lt 99 ]; do
    op_try=$((op_try + 1))
    op_claimed=$1$op_name.$$-$op_try
    { true > "$op_claimed"; } 2> /dev/null && return 0
    [ -e "$op_claimed" ] || return 1
  done
  return 1
}

# Written under a name that starts with a dot, then renamed: a reader never sees half a report.
leave() {
  umask 077
  set -C
  while claim "$op_folder/."; do
    op_final=${1:-$op_folder/$op_name.$$-$op_try}
    # Looked at only now that the dotted name is ours: whoever had it before has renamed it by now.
    if [ -z "$1" ] && [ -e "$op_final" ]; then
      rm -f "$op_claimed"
      continue
    fi
    printf '%s\n' "$op_body" >| "$op_claimed" && mv -f "$op_claimed" "$op_final" && return 0
    rm -f "$op_claimed"
    return 1
  done
}

if [ "$5" = drop ]; then
  # The name says it all. Prompts and answers are read to their end, so that the agent can write them, and kept nowhere.
  umask 077
  set -C
  claim "$op_folder/"
  cat > /dev/null 2>&1
  exit 0
fi

if [ "$2" = Stop ]; then
  # The last answer is the person's own affair, and no part of what is wanted.
  op_body=$(sed -E 's/"last_assistant_message":"([^"\\]|\\.)*",?//' 2> /dev/null)
else
  op_body=$(cat 2> /dev/null)
fi
if [ "$2" != StatusLine ]; then
  # Of some events only the newest is of use: a worker that is down finds one, not thousands.
  if [ "$5" = newest ]; then op_to=$op_folder/$op_name.last; else op_to=''; fi
  leave "$op_to" > /dev/null 2>&1
  exit 0
fi

# Only a status with quota numbers is worth a file, and only the newest: a worker that is down finds one, not thousands.
# What the report changes in the shell must not reach the user's command, hence the brackets.
case $op_body in
*'"rate_limits"'*)
  if [ -z "${6-}" ]; then leave "$op_folder/$op_name.last"; else (leave "$op_folder/$op_name.last"); fi > /dev/null 2>&1
  ;;
esac
[ -n "${6-}" ] || exit 0
# The user's own status line takes this process over, so that signals, output and exit code are its own.
exec /bin/sh -c "$6" << BODY
$op_body
BODY
