#!/bin/sh
# Command-line tests: run.sh TOOL [NAME...]
#
# Each NAME.test is a sh script that runs in an empty folder of its own with the helpers of helpers.sh.
# What it prints (commands, their standard output, standard error and exit status, in this order) must
# equal NAME.expected to the byte. UPDATE=1 writes the .expected files anew: read the difference then.
# The last line is "N passed, N failed"; exit status 1 if a test failed or none was found.
[ $# -ge 1 ] || { echo "usage: $0 TOOL [NAME...]" >&2; exit 2; }
BURL=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
TESTS=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$TESTS/../.." && pwd)
export BURL TESTS ROOT
export LC_ALL=C TZ=UTC OPENBLAS_NUM_THREADS=1
work=$(mktemp -d "${TMPDIR:-/tmp}/burl-cli.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

passed=0
failed=0
fail() {
  echo "FAILED: $1"
  failed=$((failed + 1))
}
run_test() {
  name=$1
  mkdir -p "$work/$name/in"
  (cd "$work/$name/in" && sh -c '. "$TESTS/helpers.sh"; . "$0"' "$TESTS/$name.test") \
    > "$work/$name/got" 2> "$work/$name/noise" < /dev/null
  if [ -s "$work/$name/noise" ]; then
    fail "$name: the test itself complained"
    cat "$work/$name/noise"
  elif [ -n "$UPDATE" ]; then
    cp "$work/$name/got" "$TESTS/$name.expected"
    passed=$((passed + 1))
  elif [ -f "$TESTS/$name.expected" ] &&
    diff -u "$TESTS/$name.expected" "$work/$name/got" > "$work/$name/difference" 2>&1; then
    passed=$((passed + 1))
  else
    fail "$name"
    cat "$work/$name/difference" 2>/dev/null || echo "$name.expected is missing"
  fi
  rm -rf "$work/$name"
}

[ $# -gt 0 ] || set -- $(cd "$TESTS" && ls | sed -n 's/\.test$//p')
for name in "$@"; do
  run_test "$name"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
