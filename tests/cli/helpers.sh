# What the command-line tests share. Sourced by run.sh before each test.

# A command as a transcript: the command, its standard output, its standard error with "! " before
# each line, its exit status in brackets. Seconds are replaced, for they differ from run to run.
burl() {
  printf '$ burl'
  for word in "$@"; do
    case $word in
      '' | *' '*) printf " '%s'" "$word" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n'
  "$BURL" "$@" > ../out 2> ../err
  status=$?
  sed 's/^\(time  *\)[0-9.]* s$/\1SECONDS s/' ../out
  sed 's/^/! /' ../err
  echo "[$status]"
}

# Runs a command of burl that only prepares a test, without a transcript where all goes well.
quietly() {
  "$BURL" "$@" > ../out 2> ../err || { echo "preparation failed: burl $*"; cat ../out ../err; }
}

# Makes images and damages files: see images.py.
images() {
  python3 "$TESTS/images.py" "$@"
}

# Lists the files and links below a folder.
files() {
  (cd "$1" && find . ! -type d | sed 's|^\./||' | sort)
}

# Says whether two files are equal to the byte.
same() {
  if cmp -s "$1" "$2"; then echo "same: $1 $2"; else echo "DIFFERENT: $1 $2"; fi
}
