#!/bin/sh
# install.sh install|uninstall PREFIXDIR BUILD VERSION
#
# Puts the tool, both libraries, the headers, burl.pc, the man pages and the shell completion below
# PREFIXDIR, from the folder BUILD. uninstall removes exactly these files, and include/burl, which is
# burl's own; the folders of the prefix stay.
set -eu
[ $# -eq 4 ] || { echo "usage: $0 install|uninstall PREFIXDIR BUILD VERSION" >&2; exit 2; }
action=$1
prefix=$2
build=$3
version=$4
root=$(cd "$(dirname "$0")/.." && pwd)
soname=libburl.so.${version%%.*}

# put MODE SOURCE PLACE
put() {
  mkdir -p "$(dirname "$prefix/$3")"
  install -m "$1" "$2" "$prefix/$3"
}

install_all() {
  put 755 "$build/burl" bin/burl
  put 644 "$build/libburl.a" lib/libburl.a
  put 755 "$build/libburl.so.$version" "lib/libburl.so.$version"
  ln -sf "libburl.so.$version" "$prefix/lib/$soname"
  ln -sf "$soname" "$prefix/lib/libburl.so"
  for header in "$root"/include/burl/*.h; do
    put 644 "$header" "include/burl/$(basename "$header")"
  done
  put 644 "$build/burl.pc" lib/pkgconfig/burl.pc
  put 644 "$root/docs/man/burl.1" share/man/man1/burl.1
  put 644 "$root/docs/man/burl_sinkhorn.3" share/man/man3/burl_sinkhorn.3
  put 644 "$root/scripts/completion/burl.bash" share/bash-completion/completions/burl
}

uninstall_all() {
  rm -f "$prefix/bin/burl" "$prefix/lib/libburl.a" "$prefix/lib/libburl.so.$version" \
    "$prefix/lib/$soname" "$prefix/lib/libburl.so" "$prefix/lib/pkgconfig/burl.pc" \
    "$prefix/share/man/man1/burl.1" "$prefix/share/man/man3/burl_sinkhorn.3" \
    "$prefix/share/bash-completion/completions/burl"
  for header in "$root"/include/burl/*.h; do
    rm -f "$prefix/include/burl/$(basename "$header")"
  done
  if [ -d "$prefix/include/burl" ]; then rmdir "$prefix/include/burl"; fi
}

case $action in
  install) install_all ;;
  uninstall) uninstall_all ;;
  *) echo "usage: $0 install|uninstall PREFIXDIR BUILD VERSION" >&2; exit 2 ;;
esac
