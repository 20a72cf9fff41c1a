#!/bin/sh
# An agent for the benchmarks that speaks to Outpool as the real program does, and is small: one shell that waits for a
# line. Same arguments, same files (transcript, sessions/<pid>.json), same hooks and status line out of the settings file
# of its launch; it asks no model, so every answer is the same. bench/stub/README.md says what drives it.
set -u

state=${CLAUDE_CONFIG_DIR-}/stub

# The first words of each file, or what is given where there is none.
told() {
  told=$2
  [ -r "$state/$1" ] && IFS= read -r told < "$state/$1"
  :
}

case ${1-} in
--version) echo '0.0.0 (stub agent)' && exit 0 ;;
auth) echo '{"loggedIn":true,"authMethod":"claude.ai"}' && exit 0 ;;
-p)
  told used 20
  echo "Current session: $told% used"
  exit 0
  ;;
esac

session='' mode='' settings='' prompt=''
while [ $# -gt 0 ]; do
  case $1 in
  --settings) settings=$2 && shift ;;
  --session-id | --resume) mode=$1 && session=$2 && shift ;;
  --) prompt=${2-} && shift $(($# - 1)) ;;
  esac
  shift
done

# As heavy to start as the one whom it stands for: so many rounds of nothing. An option of the benchmark.
rounds=${STUB_START_ROUNDS:-0}
while [ "$rounds" -gt 0 ]; do rounds=$((rounds - 1)); done

on_start='' on_prompt='' on_stop='' on_failure='' on_end='' on_status=''
while IFS= read -r line; do
  case $line in *'"command": "'*) ;; *) continue ;; esac
  command=${line#*'"command": "'}
  command=${command%'"'*}
  case $command in
  *' SessionStart '*) on_start=$command ;;
  *' UserPromptSubmit '*) on_prompt=$command ;;
  *' StopFailure '*) on_failure=$command ;;
  *' Stop '*) on_stop=$command ;;
  *' SessionEnd '*) on_end=$command ;;
  *' StatusLine '*) on_status=$command ;;
  esac
done < "$settings"

transcript=''
for found in "$CLAUDE_CONFIG_DIR"/projects/*/"$session.jsonl"; do
  [ -e "$found" ] && transcript=$found
done
if [ -z "$transcript" ]; then
  if [ "$mode" = --resume ]; then
    echo "No conversation found with session ID: $session"
    exit 1
  fi
  mkdir -p "$CLAUDE_CONFIG_DIR/projects/stub"
  transcript=$CLAUDE_CONFIG_DIR/projects/stub/$session.jsonl
fi

IFS= read -r stat < "/proc/$$/stat"
# Field 22, counted from behind the name, which may hold blanks.
# shellcheck disable=SC2086
set -- ${stat##*) }
started=${20}
[ -d "$CLAUDE_CONFIG_DIR/sessions" ] || mkdir -p "$CLAUDE_CONFIG_DIR/sessions"
live=$CLAUDE_CONFIG_DIR/sessions/$$.json

say_state() {
  echo "{\"pid\":$$,\"sessionId\":\"$session\",\"procStart\":\"$started\",\"status\":\"$1\"}" > "$live"
}

hook() {
  /bin/sh -c "$1" << BODY
$2
BODY
}

row() {
  printf '%s\n' "$1" >> "$transcript"
}

# Texts come in as JSON: backslashes and quotes are marked.
quoted() {
  rest=$1 quoted=''
  while :; do
    case $rest in
    *[\\\"]*)
      head=${rest%%[\\\"]*}
      tail=${rest#"$head"}
      quoted=$quoted$head\\${tail%"${tail#?}"}
      rest=${tail#?}
      ;;
    *) break ;;
    esac
  done
  quoted=$quoted$rest
}

# The wall that the benchmark has put before this account: "<instant of the refusal> <reset, seconds since 1970>".
refused() {
  at=${1% *} resets=${1#* }
  row "{\"type\":\"assistant\",\"isApiErrorMessage\":true,\"timestamp\":\"$at\",\"error\":\"rate_limit\",\"apiErrorStatus\":429,\"quotaLimits\":{\"status\":\"rejected\",\"resetsAt\":$resets,\"rateLimitType\":\"five_hour\"},\"message\":{\"model\":\"<synthetic>\",\"content\":[{\"type\":\"text\",\"text\":\"You've hit your session limit\"}]}}"
  say_state idle
  hook "$on_failure" '{"hook_event_name":"StopFailure","error":"rate_limit"}'
}

turn() {
  say_state busy
  hook "$on_prompt" '{}'
  at=$(date -u '+%Y-%m-%dT%H:%M:%S.%3NZ')
  quoted "$1"
  row "{\"type\":\"user\",\"timestamp\":\"$at\",\"message\":{\"role\":\"user\",\"content\":\"$quoted\"}}"
  told wall ''
  if [ -n "$told" ]; then
    refused "$told"
    return
  fi
  row "{\"type\":\"assistant\",\"timestamp\":\"$at\",\"message\":{\"model\":\"stub\",\"content\":[{\"type\":\"text\",\"text\":\"Done.\"}]}}"
  say_state idle
  hook "$on_stop" '{}'
  told used 20
  hook "$on_status" "{\"rate_limits\":{\"five_hour\":{\"used_percentage\":$told}}}"
}

ended() {
  rm -f "$live"
  hook "$on_end" '{"reason":"other"}'
  exit 0
}

# The benchmark has put a wall before the account, in the middle of a turn so to speak.
walled() {
  woken=yes
  told wall ''
  [ -z "$told" ] || refused "$told"
}

woken=no
trap walled USR1
trap ended TERM HUP

hook "$on_start" "{\"session_id\":\"$session\",\"transcript_path\":\"$transcript\",\"source\":\"startup\"}"
if [ -z "$prompt" ]; then say_state idle; else turn "$prompt"; fi
# The input line, between two rules as the real program draws it, with the cursor in it: a typed prompt is echoed there.
rule='────────────────────'
while :; do
  printf '\033[2J\033[H%s\n❯ \n%s\033[A\r\033[2C' "$rule" "$rule"
  if IFS= read -r line; then
    [ -z "$line" ] || turn "$line"
  elif [ $woken = yes ]; then
    # Not the end of the input: a signal has ended the waiting.
    woken=no
  else
    ended
  fi
done
