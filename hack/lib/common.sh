# Shared by the scripts in hack/: where the project is, what it needs, how it is built. Sourced, not run.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# as_root COMMAND...: runs it as root; false where this user cannot.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then sudo "$@"; else return 1; fi
}

# need_packages PACKAGE...: installs the Debian packages that are missing.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null 2>&1 || fail "these packages are needed and there is no apt-get to install them: ${missing[*]}"
  say "installing ${missing[*]}"
  # RUNLEVEL keeps the daemons that come along from being started. A list that cannot be refreshed may still do: the install below has the last word.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null 2>&1 || true
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "could not install ${missing[*]}; as root: apt-get install ${missing[*]}"
}

need_swift() {
  command -v swift >/dev/null 2>&1 || fail "no Swift compiler found: install Swift 6.3 from https://www.swift.org/install and put it on PATH"
  need_packages libcurl4-openssl-dev libssl-dev pkg-config
}

# Any kubectl will do; where there is none, Debian's own (1.20) is taken.
need_kubectl() { command -v kubectl >/dev/null 2>&1 || need_packages kubernetes-client; }

# need_python PACKAGE...: a virtual environment under .build with these PyPI packages; sets $python.
need_python() {
  command -v python3 >/dev/null 2>&1 || need_packages python3
  local venv="$root/.build/venv"
  if [ ! -x "$venv/bin/pip" ]; then
    python3 -m venv "$venv" 2>/dev/null || {
      need_packages python3-venv
      python3 -m venv "$venv"
    }
  fi
  python="$venv/bin/python"
  [ $# -eq 0 ] && return 0
  local stamp
  stamp="$venv/.installed-$(printf '%s\n' "$@" | cksum | cut -d' ' -f1)"
  [ -e "$stamp" ] && return 0
  say "installing $* from PyPI"
  "$python" -m pip install --quiet --disable-pip-version-check "$@" || fail "could not install $* from PyPI"
  touch "$stamp"
}

# need_end_to_end: what the end-to-end tests run beside the binary; sets $python.
need_end_to_end() {
  need_kubectl
  need_packages procps haproxy nginx-light binutils lua5.3
  # What renders the Helm chart as Helm does. Where it cannot be had, the tests that need it are skipped by name.
  (need_packages golang-go golang-github-masterminds-sprig-dev golang-github-ghodss-yaml-dev) || true
  need_python pytest pytest-xdist openai pyyaml jsonschema
  hack/samples/embedding/install
}

# build_binary: the release binary, with the Swift runtime linked in; sets $pilotlight.
build_binary() {
  need_swift
  swift build -c release --static-swift-stdlib --product pilotlight "$@"
  pilotlight="$root/.build/release/pilotlight"
}
