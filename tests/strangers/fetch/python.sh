#!/usr/bin/env bash
# Fetches the Python programs that requirements.txt pins into the cache of the tests, and prints their folder, which is
# to stand in PYTHONPATH. Nothing is installed.
#
#   GPU_SHARING_TEST_CACHE   where to keep them (default: ~/.cache/gpu-sharing-operator)
#   OFFLINE                  if not empty, fetch nothing
#
# Exit status 3: they cannot be had on a machine like this one. Anything else but 0: they should have been.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${GPU_SHARING_TEST_CACHE:-$HOME/.cache/gpu-sharing-operator}/strangers

cannot() {
  echo "skipped: no Python clients of NVML to test with: $1" >&2
  exit 3
}

version=$(python3 --version 2> /dev/null) || cannot "there is no python3"
key=$({ echo "$version"; uname -m; cat "$here/requirements.txt"; } | sha256sum | cut -c1-16)
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
folder=$cache/python-$key
if [[ ! -d $folder ]]; then
  [[ -z ${OFFLINE:-} ]] || cannot "they are not in $cache, and OFFLINE is set"
  python3 -m pip --version > /dev/null 2>&1 || cannot "python3 has no pip"
  echo "fetching Python clients of NVML (once; kept in $cache)" >&2
  work=$(mktemp -d "$cache/.fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-input --no-deps \
    --only-binary=:all: --require-hashes --requirement "$here/requirements.txt" --target "$work/packages" >&2 || {
    echo "cannot fetch the Python clients of NVML; with OFFLINE=1 this part is skipped" >&2
    exit 1
  }
  mv "$work/packages" "$folder"
fi
echo "$folder"
