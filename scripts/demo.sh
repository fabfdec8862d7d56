#!/bin/sh
# demo.sh TOOL DIR: from nothing to a report in DIR, which is made anew each time.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 TOOL DIR" >&2; exit 2; }
tool=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
dir=$2
mark=.burl-demo

# Only a folder that this script made is replaced.
if [ -e "$dir" ] && [ ! -e "$dir/$mark" ] && [ -n "$(ls -A "$dir")" ]; then
  echo "demo: $dir holds files that are not from an earlier demo; name another folder" >&2
  exit 1
fi
rm -rf "$dir"
mkdir -p "$dir"
touch "$dir/$mark"
cd "$dir"

step() {
  echo
  echo "\$ burl $*"
  "$tool" "$@"
}
step synth -o cloth --weave plain --train 24 --test-good 8 --per-defect 2 --size 256 --seed 1
step check cloth
step fit cloth -o cloth.burl
step score cloth.burl cloth/test/hole -o maps
step eval cloth.burl cloth -o report
echo
echo "open $dir/report/report.html in a browser"
