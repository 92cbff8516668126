#!/usr/bin/env bash
# Shows that check-links.sh notices each kind of broken link, and passes good ones. Exit 0: it does.
set -euo pipefail
check=$(cd "$(dirname "$0")" && pwd)/check-links.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
git init -q .
printf "# C, \x60d\x60!\n" >other.md
touch untracked.txt
cat >good.md <<'MD'
# Title → here

## Twice
## Twice
[file](other.md) [anchor](other.md#c-d) [self](#twice) [second](#twice-1) [sign](#title--here) [web](https://example.org/x)
`[code](none.md)`
```
[fenced](none.md)
```
[ref]: other.md
MD
cat >bad.md <<'MD'
# Only
[file](none.md)
[anchor](other.md#none)
[self](#none)
[untracked](untracked.txt)
[outside](../x.md)
[ref]: none.md
MD
git add good.md other.md bad.md
"$check" good.md other.md
if "$check" >out; then
  echo "check-links.sh passed broken links" >&2
  exit 1
fi
for line in 2 3 4 5 6 7; do
  grep -q "^bad.md:$line: " out || { echo "check-links.sh missed bad.md:$line" >&2; exit 1; }
done
[ "$(wc -l <out)" -eq 6 ] || { echo "check-links.sh complained too much:" >&2; cat out >&2; exit 1; }
