#!/bin/sh
# Prints the first Python on PATH that is new enough and can make a virtual environment.
# Each candidate is run, not only found: a version manager's shim may exist and refuse to start.
# PYTHON=/some/python settles the choice.

probe='import sys
if sys.version_info < (3, 11): sys.exit(3)
try:
    import ensurepip, venv
except ImportError:
    sys.exit(4)'

seen=""
for name in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
    path=$(command -v "$name" 2>/dev/null) || continue
    "$path" -c "$probe" >/dev/null 2>&1
    case $? in
        0) echo "$path"; exit 0 ;;
        3) seen="$seen
  $path is $("$path" -c 'import sys; print("Python %d.%d" % sys.version_info[:2])'), too old" ;;
        4) seen="$seen
  $path lacks the venv module (on Debian and Ubuntu: apt install python3-venv)" ;;
    esac
done

echo "No usable Python: Chimera needs Python 3.11 or newer with its venv module.${seen}
Install one, or name it: make PYTHON=/path/to/python3.11" >&2
exit 1
