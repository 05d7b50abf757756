#!/usr/bin/env bash
# Fetches a program of NVIDIA's from Debian's archive into the cache of the tests, and prints the program's path. Nothing
# is installed, and neither apt's own lists nor root are needed. It is NVIDIA's program under NVIDIA's license: it is
# run by tests, and is in nothing that we ship.
#
# The archive is the one that this machine's own sources name. PACKAGE.sha256 lists the packages that the tests are
# known to pass with, best first: Debian serves one in each of its suites, and drops it for the next.
#
#   debian.sh PACKAGE PROGRAM   the program by its path in the package
#
#   GPU_SHARING_TEST_CACHE   where to keep it (default: ~/.cache/gpu-sharing-operator)
#   OFFLINE                  if not empty, fetch nothing
#
# Exit status 3: it cannot be had on a machine like this one. Anything else but 0: it should have been.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
package=$1 program=$2
suite=bookworm
cache=${GPU_SHARING_TEST_CACHE:-$HOME/.cache/gpu-sharing-operator}/strangers

cannot() {
  echo "skipped: no $package to test with: $1" >&2
  exit 3
}
kept() { # version
  echo "$cache/$package-$1/$program"
}

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
while read -r _ version; do
  if [[ -x $(kept "$version") ]]; then
    kept "$version"
    exit
  fi
done < "$here/$package.sha256"

[[ -z ${OFFLINE:-} ]] || cannot "it is not in $cache, and OFFLINE is set"
id=$(. /etc/os-release 2> /dev/null && echo "${ID:-} ${VERSION_CODENAME:-}") || true
[[ $id == debian\ ?* ]] && command -v apt-get dpkg > /dev/null || cannot "it is fetched with Debian's apt, and this is not Debian"
[[ $(dpkg --print-architecture) == amd64 ]] || cannot "the packages that are known are for amd64"

work=$(mktemp -d "$cache/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists,archives}/partial
# Not one of the machine's own files, and none of the commands that it runs after an update.
cat > "$work/apt.conf" <<CONFIGURATION
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$work/lists";
Dir::Cache "$work";
Dir::Cache::archives "$work/archives";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
#clear APT::Update;
CONFIGURATION
apt() {
  local command=$1
  shift
  "apt-$command" -q --config-file="$work/apt.conf" "$@"
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
option=
[[ ! -f $keyring ]] || option="[signed-by=$keyring] "
# The machine may run another release of Debian: its archive has ours too.
archives=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u)
while read -r uri release component; do
  release=${release/#"${id#debian }"/$suite}
  case $component-$release in
    main-$suite | main-$suite-security | main-$suite-updates) echo "deb $option$uri $release non-free" ;;
  esac
done <<< "$archives" > "$work/sources.list"
[[ -s $work/sources.list ]] || { echo "apt's sources name no archive of Debian: see apt-get indextargets" >&2; exit 1; }

echo "fetching $package (once; kept in $cache)" >&2
# An archive that does not answer is one of several; what counts is what can be had.
apt get update > "$work/log" 2>&1 || true
served=$(apt cache madison "$package" | cut -d'|' -f2 | sort -u | xargs)
if [[ -z $served ]]; then
  cat "$work/log" >&2
  echo "cannot find $package in Debian's archive; with OFFLINE=1 this part is skipped" >&2
  exit 1
fi
while read -r sum version; do
  [[ " $served " == *" $version "* ]] || continue
  (cd "$work" && apt get download "$package=$version") > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  echo "$sum  $(echo "$work/$package"_*.deb)" | sha256sum --check --quiet >&2
  dpkg -x "$work/$package"_*.deb "$work/root"
  rm -rf "$cache/$package-$version"
  mv "$work/root" "$cache/$package-$version"
  kept "$version"
  exit
done < "$here/$package.sha256"
echo "Debian serves $package in these versions: $served; none is in $here/$package.sha256." \
  "Try the newest with the tests and list it there" >&2
exit 1
