#!/bin/sh
# tools/step.sh LABEL COMMAND ... : runs the command as one quiet line with its time.
# A dot every five seconds shows that it goes on; its output is shown only when it fails.

label=$1
shift
log=$(mktemp "${TMPDIR:-/tmp}/chimera-step.XXXXXX") || exit 1
ticker=
finish() {
    if [ -n "$ticker" ]; then kill "$ticker" 2>/dev/null; fi
    rm -f "$log"
}
trap finish EXIT
trap 'echo " stopped"; exit 130' INT TERM

printf '%s ' "$label"
# The sleep must not hold our output open: who waits for its end would wait five seconds more.
(while sleep 5 >/dev/null 2>&1; do printf '.'; done) &
ticker=$!
start=$(date +%s)
"$@" >"$log" 2>&1 </dev/null
code=$?
if [ "$code" -eq 0 ]; then
    echo " ok ($(($(date +%s) - start)) s)"
else
    echo " failed (exit $code)"
    cat "$log"
fi
exit "$code"
