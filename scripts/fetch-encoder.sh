#!/bin/sh
# Gets public weights of a pretrained network for `burl fit --encoder`. Nothing else of burl uses a network.
#
#   fetch-encoder.sh NAME [FOLDER]     to FOLDER/NAME.safetensors (default: .)
#     --list           the names that are known, with address, bytes, licence and SHA-256
#     --dry-run        say what would be done
#     --sha256 SUM     the sum that the file must have, instead of that of the table
#     --unverified     take a file whose sum is not known; its sum is said
#     --mirror URL     get it from there instead of https://huggingface.co (also BURL_ENCODER_MIRROR)
#     --table FILE     another table than scripts/encoders.txt
#     --force          replace a file that is there and has another sum
#
# A file comes whole and with its sum, or not at all.
set -eu
fail() { echo "fetch-encoder: $*" >&2; exit 1; }
misuse() { echo "fetch-encoder: $*; see the top of $0" >&2; exit 2; }

table=$(dirname "$0")/encoders.txt
name="" folder=. sum="" mirror=${BURL_ENCODER_MIRROR:-} dry="" force="" unverified="" list="" given=0
while [ $# -gt 0 ]; do
  case $1 in
    --list) list=1 ;;
    --dry-run) dry=1 ;;
    --force) force=1 ;;
    --unverified) unverified=1 ;;
    --sha256 | --mirror | --table)
      [ $# -gt 1 ] || misuse "$1 needs a value"
      case $1 in --sha256) sum=$2 ;; --mirror) mirror=$2 ;; *) table=$2 ;; esac
      shift ;;
    -*) misuse "there is no option $1" ;;
    *)
      given=$((given + 1))
      case $given in 1) name=$1 ;; 2) folder=$1 ;; *) misuse "one name and one folder are taken" ;; esac ;;
  esac
  shift
done
[ -r "$table" ] || fail "$table cannot be read"
if [ -n "$list" ]; then
  grep -v -e '^#' -e '^$' "$table"
  exit 0
fi
[ -n "$name" ] || misuse "name a network: $(grep -v -e '^#' -e '^$' "$table" | cut -d' ' -f1 | tr '\n' ' ')"
line=$(grep "^$name " "$table" || true)
[ -n "$line" ] || fail "there is no \"$name\" in $table; --list shows what there is"
# shellcheck disable=SC2086 # words are what is wanted
set -- $line
address=$2 bytes=$3 licence=$4
[ -n "$sum" ] || sum=$5
[ -z "$mirror" ] || address=${mirror%/}/${address#https://huggingface.co/}
file=$folder/$name.safetensors

echo "name     $name"
echo "address  $address"
echo "bytes    $bytes"
echo "licence  $licence"
echo "SHA-256  $sum"
echo "file     $file"
sum_of() { sha256sum "$1" | cut -d' ' -f1; }
if [ -e "$file" ]; then
  has=$(sum_of "$file")
  [ "$has" != "$sum" ] || { echo "is there already"; exit 0; }
  [ -n "$force" ] || fail "$file is there with another sum, $has; --force replaces it"
fi
if [ "$sum" = - ] && [ -z "$unverified" ]; then
  fail "no published sum of $name is known; give one by --sha256, or take what comes by --unverified"
fi
[ -z "$dry" ] || exit 0

mkdir -p "$folder"
part=$file.part-$$
trap 'rm -f "$part"' EXIT
trap 'exit 1' HUP INT TERM
if command -v curl >/dev/null 2>&1; then
  curl --fail --silent --show-error --location --output "$part" "$address" || fail "$address cannot be had"
elif command -v wget >/dev/null 2>&1; then
  wget --quiet --output-document="$part" "$address" || fail "$address cannot be had"
else
  fail "curl or wget is needed; get $address by hand and put it at $file"
fi
has=$(sum_of "$part")
if [ "$sum" = - ]; then
  echo "got      SHA-256 $has, which nothing vouches for"
elif [ "$has" != "$sum" ]; then
  fail "what came from $address has SHA-256 $has, not $sum: it is not kept"
fi
mv "$part" "$file"
echo "use      burl fit DATA -o MODEL --encoder texture,$name:$file"
