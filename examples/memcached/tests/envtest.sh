#!/usr/bin/env bash
# Fetches the API server and etcd for the tests, unless they are there: `make setup-envtest`.
#   envtest.sh URL DIRECTORY
# The checksum of an archive is written to tests/envtest.sha512 when it is first fetched, one line for each version and
# platform. Commit the file: from then on, here and everywhere, an archive with another checksum is refused.
set -euo pipefail
cd -- "$(dirname -- "$0")/.."

url=$1
dir=$2
archive=${url##*/}
pins=tests/envtest.sha512

fail() { printf 'error: %s\n' "$@" >&2; exit 1; }
sum() { if command -v sha512sum >/dev/null; then sha512sum; else shasum -a 512; fi | cut -d ' ' -f 1; }
pinned() { [ ! -e "$pins" ] || awk -v name="$archive" '{ sub(/\r$/, "") } $2 == name { print $1; exit }' "$pins"; }

if [ -x "$dir/etcd" ] && [ -x "$dir/kube-apiserver" ] && [ -x "$dir/kubectl" ]; then exit 0; fi
command -v curl >/dev/null || fail "curl is needed to fetch $url"
mkdir -p -- "$(dirname -- "$dir")"
part=$(mktemp -d -- "$dir.part-XXXXXX")
trap 'rm -rf -- "$part"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "fetching $url"
if [ -t 2 ]; then bar=--progress-bar; else bar=-sS; fi
curl -fL "$bar" --retry 3 -o "$part/envtest.tar.gz" -- "$url"
got=$(sum < "$part/envtest.tar.gz")
want=$(pinned)
if [ -z "$want" ]; then
  # The first time: as it was published.
  published=$(curl -fL -sS --retry 3 -- "$url.sha512" | cut -d ' ' -f 1)
  [ "$published" = "$got" ] || fail "the checksum of $url is not the one beside it"
elif [ "$want" != "$got" ]; then
  echo "error: $url is not the archive whose checksum $pins has" >&2
  echo "  expected SHA-512 $want" >&2
  echo "  found            $got" >&2
  echo "Somebody changed the archive or the line. If you know why and trust the new one, delete the line of" >&2
  echo "$archive, and run \`make setup-envtest\` again." >&2
  exit 1
fi
mkdir -- "$part/bin"
tar -xzf "$part/envtest.tar.gz" -C "$part/bin" --strip-components=2
if [ -z "$want" ]; then
  # An editor may have left the last line without an end.
  if [ -s "$pins" ] && [ -n "$(tail -c 1 "$pins")" ]; then echo >> "$pins"; fi
  printf '%s  %s\n' "$got" "$archive" >> "$pins"
  echo "note: the checksum of $archive is in $pins now: commit it" >&2
  if [ -n "${GITHUB_ACTIONS:-}" ]; then
    echo "::warning::$archive is not pinned: run make setup-envtest with its ENVTEST_PLATFORM and commit $pins"
  fi
fi
rm -rf -- "$dir"
mv -- "$part/bin" "$dir"
