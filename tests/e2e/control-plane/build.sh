#!/usr/bin/env bash
# Builds the control plane that the tests and the demo run on: etcd, kube-apiserver, kube-controller-manager,
# kube-scheduler, kubectl, KWOK and helm, each from the Go module that its go.mod and go.sum here pin.
# The binaries go into a cache outside the tree, under a key of all that decides their content, so that a second
# run costs nothing. Prints the folder that holds them as its last line; progress goes to standard error.
#
#   KUBEBUILDER_ASSETS       a folder with binaries to use instead; only what it lacks is built
#   GPU_SHARING_TEST_CACHE   where to keep the binaries (default: ~/.cache/gpu-sharing-operator)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kubernetes_version=v1.36.3 kwok_version=v0.8.0 helm_version=v3.22.0

stamp() {
  local flags=""
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$kubernetes_version -X $package.gitMajor=1 -X $package.gitMinor=36 -X $package.gitTreeState=clean"
  done
  echo "$flags"
}
helm_stamp() {
  echo "-X helm.sh/helm/v3/internal/version.version=$helm_version" \
    "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36" \
    "-X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=36"
}

key=$({ echo "${KUBEBUILDER_ASSETS:-}"; cat "$here"/*/go.mod "$here"/*/go.sum "$here/build.sh"; go version; } | sha256sum | cut -c1-16)
bin=${GPU_SHARING_TEST_CACHE:-$HOME/.cache/gpu-sharing-operator}/control-plane/$key
mkdir -p "$bin"
# One build at a time: two test runs that start together share the result.
exec 9>"$bin/.lock"
flock 9

build() { # module, package, linker flags
  local name
  name=$(basename "$2")
  [[ $2 == */server/v3 ]] && name=etcd
  [[ -x $bin/$name ]] && return
  if [[ -n ${KUBEBUILDER_ASSETS:-} && -x $KUBEBUILDER_ASSETS/$name ]]; then
    ln -sf "$KUBEBUILDER_ASSETS/$name" "$bin/$name"
    return
  fi
  echo "building $name (once; kept in $bin)" >&2
  # Renamed into place: a build that was interrupted is never taken for a finished one.
  (cd "$here/$1" && CGO_ENABLED=0 nice go build -mod=readonly -trimpath -ldflags "-s -w $3" -o "$bin/.$name" "$2") >&2
  mv "$bin/.$name" "$bin/$name"
}
build etcd go.etcd.io/etcd/server/v3 ""
for command in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
  build kubernetes "k8s.io/kubernetes/cmd/$command" "$(stamp)"
done
build kwok sigs.k8s.io/kwok/cmd/kwok "-X sigs.k8s.io/kwok/pkg/consts.Version=$kwok_version"
build helm helm.sh/helm/v3/cmd/helm "$(helm_stamp)"
echo "$bin"
