#!/bin/sh
# Every public header must compile alone, as C17 and as C++17.
cd "$(dirname "$0")/.." || exit 1
for header in include/burl/*.h; do
  gcc -std=c17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude -x c "$header" || exit 1
  g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Iinclude -x c++ "$header" || exit 1
done
echo "headers: $(ls include/burl/*.h | wc -l) compile alone in C17 and C++17"
