#!/usr/bin/env bash
# Checks every relative link and heading anchor in every tracked *.md file of this repository.
#
#   ci/scripts/check-links.sh            all tracked files
#   ci/scripts/check-links.sh FILE...    these files
#
# Prints file:line: what is wrong. Exit 0: all good; 1: a broken link; 2: could not run.
# Needs git, awk (any POSIX one) and coreutils. No network: links with a scheme are passed over.
# Code (fenced, indented by a fence, or between backticks) is not looked at. Anchors follow GitHub's rule: lower case,
# punctuation dropped, spaces to hyphens, repeats numbered; <a id="..."> and <a name="..."> count too.
set -euo pipefail
export LC_ALL=C

root=$(git rev-parse --show-toplevel) || exit 2
cd "$root" || exit 2

if [ "$#" -gt 0 ]; then
  files=("$@")
else
  mapfile -d '' -t files < <(git ls-files -z -- '*.md')
fi
[ "${#files[@]}" -gt 0 ] || exit 0

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# Strips code from lines; sets text[] for the callers below. Shared awk source.
lines='
function fence(line,   m) {
  m = line
  sub(/^[ \t]*(>[ \t]*)*/, "", m)
  if (open == "") {
    if (m ~ /^```/ || m ~ /^~~~/) { open = substr(m, 1, 3); return 1 }
    return 0
  }
  if (substr(m, 1, 3) == open) open = ""
  return 1
}'

# Anchors of a file, one a line.
anchors_of() {
  awk "$lines"'
    function slug(s) {
      gsub(/!?\[/, "", s); gsub(/\]\([^)]*\)/, "", s); gsub(/<[^>]*>/, "", s)
      s = tolower(s)
      gsub(/[][!"#$%&\047()*+,.\/:;<=>?@\\^`{|}~]/, "", s)
      # dashes, arrows, quotes and signs outside ASCII, as UTF-8 bytes
      gsub(/\342[\200-\257][\200-\277]|\302[\240-\277]|\303\227/, "", s)
      sub(/^[ \t]+/, "", s); sub(/[ \t]+$/, "", s); gsub(/[ \t]/, "-", s)
      return s
    }
    function emit(s) { if (seen[s]++) print s "-" (seen[s] - 1); else print s }
    {
      sub(/\r$/, "")
      if (fence($0)) { previous = ""; next }
      rest = $0
      while (match(rest, /<a[ \t]+(id|name)="[^"]+"/)) {
        tag = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
        sub(/^[^"]*"/, "", tag); sub(/"$/, "", tag); print tag
      }
      if ($0 ~ /^ ? ? ?#+[ \t]/) {
        h = $0; sub(/^[ ]*#+[ \t]+/, "", h); sub(/[ \t]+#+[ \t]*$/, "", h); emit(slug(h))
      } else if ($0 ~ /^(=+|-+)[ \t]*$/ && previous != "" && previous !~ /^[ \t]*([-*+>|]|[0-9]+\.)/) {
        emit(slug(previous))
      }
      previous = $0; if (previous ~ /^[ \t]*$/) previous = ""
    }' "$1"
}

# Links of a file as "line<TAB>target".
links_of() {
  awk "$lines"'
    {
      sub(/\r$/, "")
      if (fence($0)) next
      text = $0
      gsub(/``[^`]+``/, "", text); gsub(/`[^`]*`/, "", text)
      if (match(text, /^ ? ? ?\[[^]]+\]:[ \t]*[^ \t]+/)) {
        t = substr(text, RSTART, RLENGTH); sub(/^[^]]*\]:[ \t]*/, "", t); print FNR "\t" t
        next
      }
      while (match(text, /\]\([ \t]*(<[^>]*>|[^ \t()]*(\([^ \t()]*\)[^ \t()]*)*)/)) {
        t = substr(text, RSTART, RLENGTH); text = substr(text, RSTART + RLENGTH)
        sub(/^\]\([ \t]*/, "", t); print FNR "\t" t
      }
    }' "$1"
}

bad=0
complain() {
  printf '%s\n' "$1"
  bad=1
}

declare -A cached=()
has_anchor() { # file anchor
  local key=$1
  if [ -z "${cached[$key]:-}" ]; then
    cached[$key]="$work/${#cached[@]}"
    anchors_of "$key" >"${cached[$key]}"
  fi
  grep -Fxq -- "$2" "${cached[$key]}"
}

decode() { # percent-decoding
  local s=${1//\\/\\\\}
  printf '%b' "${s//%/\\x}"
}

for file in "${files[@]}"; do
  [ -f "$file" ] || { complain "$file:0: no such file"; continue; }
  while IFS=$'\t' read -r line target; do
    target=${target#<}
    target=${target%>}
    case $target in
      '' ) complain "$file:$line: empty link"; continue ;;
      [a-zA-Z]*:* | //*) continue ;;
    esac
    anchor=''
    path=$target
    case $target in *'#'*) anchor=${target#*#} path=${target%%#*} ;; esac
    path=${path%%\?*}
    [[ $path == *%* ]] && path=$(decode "$path")
    if [ -z "$path" ]; then
      resolved=$file
    elif [ "${path#/}" != "$path" ]; then
      resolved=${path#/}
    else
      resolved=$(dirname -- "$file")/$path
    fi
    resolved=$(realpath -m --relative-to=. -- "$resolved")
    case $resolved in ..*) complain "$file:$line: $target leaves the repository"; continue ;; esac
    if [ ! -e "$resolved" ]; then
      complain "$file:$line: $target: no such file"
      continue
    fi
    if ! git ls-files --error-unmatch -- "$resolved" >/dev/null 2>&1 && [ "$resolved" != . ]; then
      complain "$file:$line: $target: not tracked by git"
      continue
    fi
    case $anchor in '') continue ;; esac
    case $resolved in
      *.md) has_anchor "$resolved" "$anchor" || complain "$file:$line: $target: no such heading" ;;
      *) [[ $anchor =~ ^L[0-9]+ ]] || complain "$file:$line: $target: anchors are checked in *.md alone" ;;
    esac
  done < <(links_of "$file")
done
exit "$bad"
