#!/bin/sh
# The editor that the agent program opens for a draft (Ctrl-G): gives the whole draft to Outpool if Outpool has requested it,
# and otherwise runs the person's own editor.
#
#   editor.sh FOLDER EDITOR [OPTION...] FILE
#
# On the screen, long pastes are placeholders and long lines are cut; only an editor gets the whole draft.
op_folder=$1
op_editor=$2
shift 2
if mv "$op_folder/wanted" "$op_folder/taken" 2> /dev/null; then
  umask 077
  # Options such as the line to start at come before the file.
  for op_file; do :; done
  cp "$op_file" "$op_folder/draft.part" && mv "$op_folder/draft.part" "$op_folder/draft"
  rm -f "$op_folder/taken"
  exit 0
fi
# An editor may be a command line, as in VISUAL='code --wait'.
exec /bin/sh -c "exec $op_editor \"\$@\"" editor "$@"
