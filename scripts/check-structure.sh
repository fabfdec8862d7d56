#!/bin/sh
# Who may include whom: each module sees itself, the public headers and the modules named here.
cd "$(dirname "$0")/.." || exit 1
status=0
allow() {
  module=$1
  shift
  [ -d "src/$module" ] || return 0
  allowed="$module $*"
  for file in $(find "src/$module" -name '*.[ch]'); do
    for used in $(sed -n 's|^#include "\([a-z]*\)/.*|\1|p' "$file" | sort -u); do
      case " $allowed " in
        *" $used "*) ;;
        *) echo "$file: $module may not include $used"; status=1 ;;
      esac
    done
    for used in $(sed -n 's|^#include <burl/\([a-z]*\)[a-z_]*\.h>.*|\1|p' "$file" | sort -u); do
      case " $allowed base " in
        *" $used "*) ;;
        *) echo "$file: $module may not include burl/$used.h"; status=1 ;;
      esac
    done
  done
}
allow base
allow num base
allow image base
allow dataset base image
allow synth base num image
allow transport base num
allow encode base num image
allow prototype base num transport encode
allow flow base num transport encode
allow heat base num image encode prototype
allow shape base num image encode prototype
allow model base num image dataset encode prototype flow heat synth
allow detect base num transport heat shape
allow select base num image dataset synth transport encode prototype flow heat shape model detect evaluate
allow evaluate base num image dataset heat detect shape
allow report base image heat detect evaluate

if grep -n '#include "' src/cli/*.c src/cli/*.h 2>/dev/null | grep -v '#include "cli_'; then
  echo "src/cli may include its own headers (cli_*.h) and the public ones only"; status=1
fi
if grep -rnE '#include <(cblas|lapacke)' src | grep -v '^src/num/'; then
  echo "CBLAS and LAPACKE are called from src/num only"; status=1
fi
if grep -rnE '#include <(kissfft/|kiss_fft)' src | grep -v '^src/num/'; then
  echo "kissfft is called from src/num only"; status=1
fi
if grep -rnE '#include <(png|jpeglib)' src | grep -v '^src/image/'; then
  echo "libpng and libjpeg are called from src/image only"; status=1
fi
if grep -rnE '\b(printf|puts|abort|exit)\(' src --include='*.c' | grep -v '^src/cli/' | grep -vE 's?nprintf|fprintf\(out'; then
  echo "the library never prints, exits or aborts"; status=1
fi
twice=$(find src tests include -name '*.[ch]' ! -path 'include/*' -printf '%f\n' | sort | uniq -d)
[ -z "$twice" ] || { echo "file names are not unique in the tree: $twice"; status=1; }
[ $status -eq 0 ] && echo "structure: include rules hold"
exit $status
