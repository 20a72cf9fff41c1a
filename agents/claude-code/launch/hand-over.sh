#!/bin/sh
# Run at each prompt of a session that has come home: says once what its fork did, so that the model reads it with the prompt.
#
#   hand-over.sh FILE
#
# Taken by a rename, so that two prompts never get it both. Whether it arrived is read from the transcript at the next launch.
cat > /dev/null 2>&1
mv "$1" "$1.said" 2> /dev/null && cat "$1.said" 2> /dev/null
exit 0
