#!/bin/sh
# Installs the Debian packages that burl needs and that are missing. Does nothing when all are there.
#   setup.sh [build|check|clang|bench|browser]
# check adds what the tests need, bench the tools measured against, browser what opens reports
set -eu
build="gcc make pkg-config libc6-dev libopenblas-dev liblapacke-dev libkissfft-dev libpng-dev libjpeg62-turbo-dev libjansson-dev zlib1g-dev"
check="$build g++ libcmocka-dev python3 curl ca-certificates"
bench="$check python3-numpy python3-scipy python3-sklearn python3-skimage python3-torch python3-torchvision python3-pot python3-pil python3-faiss"
clang="$check clang clang-format"
browser="$check chromium tidy fonts-liberation"
case "${1:-check}" in
  build) packages=$build ;;
  check) packages=$check ;;
  clang) packages=$clang ;;
  bench) packages=$bench ;;
  browser) packages=$browser ;;
  *) echo "usage: $0 [build|check|clang|bench|browser]" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "setup: this is not a Debian system; install these packages' counterparts by hand: $packages" >&2
  # On other systems the compiler says what is missing.
  exit 0
fi
missing=""
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $packages 2>/dev/null | sed -n 's/ installed$//p')
for package in $packages; do
  printf '%s\n' "$installed" | grep -qx "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "setup: installing$missing"
if [ "$(id -u)" -eq 0 ]; then
  run=""
elif command -v sudo >/dev/null 2>&1; then
  run="sudo"
else
  echo "setup: these packages are missing and installing them needs root: run as root: apt-get install$missing" >&2
  exit 1
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "setup: apt-get is not there; install by hand:$missing" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$run apt-get update -q >/dev/null
$run apt-get install -y -q --no-install-recommends $missing >/dev/null
