#!/bin/sh
# Runs as the agent's hooks and status line, and writes one report file for Outpool.
#
#   report.sh REPORT_DIR EVENT SESSION FENCE keep|newest|drop [STATUS_LINE_COMMAND]
#
# It starts as few processes as possible, prints nothing itself, and always exits with 0: a full disk or a missing folder costs
# a report, but never a turn. docs/decisions/0005-reports-as-files.md says why it is a shell script, and what readers of its
# files can rely on. Its variables have a prefix so that they never overwrite a variable of the user's own status line.
op_folder=$1
op_name=$3.$4.$2
op_try=0

# Claims a free name with O_EXCL: process ids are reused, and may be the same in two containers.
claim() {
  while [ "$op_try" -lt 99 ]; do
    op_try=$((op_try + 1))
    op_claimed=$1$op_name.$$-$op_try
    { true > "$op_claimed"; } 2> /dev/null && return 0
    [ -e "$op_claimed" ] || return 1
  done
  return 1
}

# Writes under a name that starts with a dot, then renames it, so that a reader never sees half a report.
leave() {
  umask 077
  set -C
  while claim "$op_folder/."; do
    op_final=${1:-$op_folder/$op_name.$$-$op_try}
    # Checked after the dotted name was claimed: an earlier owner of that name has renamed it by now.
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
  # The name is the whole report. Prompts and answers are read to the end, so that the agent can write them, and dropped.
  umask 077
  set -C
  claim "$op_folder/"
  cat > /dev/null 2>&1
  exit 0
fi

if [ "$2" = Stop ]; then
  # The last answer is private and not needed.
  op_body=$(sed -E 's/"last_assistant_message":"([^"\\]|\\.)*",?//' 2> /dev/null)
else
  op_body=$(cat 2> /dev/null)
fi
if [ "$2" != StatusLine ]; then
  # Of some events only the newest is useful, so that thousands do not pile up while no worker runs.
  if [ "$5" = newest ]; then op_to=$op_folder/$op_name.last; else op_to=''; fi
  leave "$op_to" > /dev/null 2>&1
  exit 0
fi

# Only a status with quota numbers is written, and only the newest is kept, so that files do not pile up while no worker runs.
# The brackets keep changes to the shell, such as umask, from the user's command.
case $op_body in
*'"rate_limits"'*)
  if [ -z "${6-}" ]; then leave "$op_folder/$op_name.last"; else (leave "$op_folder/$op_name.last"); fi > /dev/null 2>&1
  ;;
esac
[ -n "${6-}" ] || exit 0
# The user's own status line replaces this process, so that signals, output and exit code are its own.
exec /bin/sh -c "$6" << BODY
$op_body
BODY
