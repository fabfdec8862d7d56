#!/bin/sh
# Usage: scripts/bench.sh NAME BINARY
# Runs a benchmark on one thread and writes its figures, one JSON object a line, to
# build/bench/NAME.jsonl (and standard output). Where tests/bench/peer_NAME.py is there and finds its
# modules (it is asked with --check), the benchmark measures it alongside, in the same run; otherwise
# its peer_ms are null. PYTHON chooses the interpreter (default /usr/bin/python3).
set -u
if [ $# -ne 2 ]; then
  echo "usage: $0 NAME BINARY" >&2
  exit 2
fi
name=$1
binary=$2
python=${PYTHON:-/usr/bin/python3}
cd "$(dirname "$0")/.." || exit 1
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

peer=tests/bench/peer_$name.py
unset BURL_BENCH_PEER
if [ -f "$peer" ] && "$python" "$peer" --check 2>/dev/null; then
  export BURL_BENCH_PEER="$python $peer"
elif [ -f "$peer" ]; then
  echo "bench $name: $python lacks the modules that $peer needs, so there is no comparison" >&2
fi

mkdir -p build/bench || exit 1
out=build/bench/$name.jsonl
if "$binary" > "$out.part"; then
  mv "$out.part" "$out"
  cat "$out"
else
  echo "bench $name: $binary failed" >&2
  rm -f "$out.part"
  exit 1
fi
