#!/bin/sh
# Runs test programs one after the other; goes on after a failure, exits with 1 if any failed or none ran.
failed=0
ran=0
for test in "$@"; do
  ran=$((ran + 1))
  if output=$(OPENBLAS_NUM_THREADS=1 "$test" 2>&1); then
    printf '%s\n' "$output" | grep -E '^\[ *PASSED *\]' | sed "s|\$| ($(basename "$test"))|"
  else
    printf '%s\n' "$output"
    echo "FAILED: $test"
    failed=1
  fi
done
[ "$ran" -gt 0 ] || { echo "no test was run"; exit 1; }
exit $failed
