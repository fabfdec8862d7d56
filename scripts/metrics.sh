#!/bin/sh
# Prints functions above 60 lines, .c files above 600 and headers above 200. Exit status 1 if any.
cd "$(dirname "$0")/.." || exit 1
git ls-files 'src/*.[ch]' 'include/*.h' 'tests/*.[ch]' | xargs awk '
  FNR == 1 { if (file) check_file(); file = FILENAME; open = 0 }
  { lines = FNR }
  !open && /^[A-Za-z_].*\(/ { name = $0 }
  !open && /\{[ \t]*$/ && /^[A-Za-z_ ]/ { open = 1; start = FNR }
  /^\}/ { if (open && FNR - start > 60 && name != "") { print file ":" start ": " FNR - start " lines: " name; bad = 1 } open = 0; name = "" }
  function check_file() {
    limit = file ~ /\.h$/ ? 200 : 600
    if (lines > limit) { print file ": " lines " lines, more than " limit; bad = 1 }
  }
  END { check_file(); exit bad }'
