#!/bin/sh
# Runs at each prompt after a failback: prints once what the fork did, so that the model reads it with the prompt.
#
#   hand-over.sh FILE
#
# Taken by a rename, so that only one of two prompts gets it. The next launch reads from the transcript whether it arrived.
cat > /dev/null 2>&1
mv "$1" "$1.said" 2> /dev/null && cat "$1.said" 2> /dev/null
exit 0
