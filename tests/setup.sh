#!/bin/sh
# Installs what ./drill, ./check and ./bench need: Debian packages and npm
# packages, each listed here.  Needs root only when something is missing.
# Sourced with the repository's root as the working directory.

PACKAGES="gcc libc6-dev meson ninja-build pkg-config python3 ca-certificates
  libcurl4-openssl-dev libjansson-dev libsecp256k1-dev liblmdb-dev
  libmicrohttpd-dev libyaml-dev libcmocka-dev git openssl"

say() {
	printf '%s\n' "$*" >&2
}

# Prints those of its arguments that are not installed.
missing_packages() {
	for package in "$@"; do
		# Whoever sources this may have set -e: an unknown package is no error.
		state=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) || :
		[ "$state" = "install ok installed" ] || printf '%s ' "$package"
	done
}

apt_install() {
	if [ "$(id -u)" = 0 ]; then
		as_root=""
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		as_root="sudo"
	else
		say "setup: missing Debian packages; as root: apt-get install -y $*"
		exit 1
	fi
	say "setup: apt-get install $*"
	export DEBIAN_FRONTEND=noninteractive
	$as_root apt-get update -qq >&2 &&
		$as_root apt-get install -y -qq --no-install-recommends "$@" \
			>/dev/null || {
		say "setup: apt-get install $* failed: see the lines above"
		exit 1
	}
}

setup_debian() {
	# Node and npm are taken where they are: a node from elsewhere
	# conflicts with Debian's npm package.
	node_packages=""
	command -v node >/dev/null || node_packages="nodejs"
	command -v npm >/dev/null || node_packages="$node_packages npm"
	# shellcheck disable=SC2086
	missing="$(missing_packages $PACKAGES)$node_packages"
	# shellcheck disable=SC2086
	[ -z "$missing" ] || apt_install $missing
}

# setup_npm DIR: npm ci is run again only when the lock file has changed since.
setup_npm() {
	stamp=$1/node_modules/.egress-lock
	if ! cmp -s "$1/package-lock.json" "$stamp"; then
		say "setup: npm ci ($1/package-lock.json)"
		(cd "$1" && npm ci --ignore-scripts --loglevel=error >&2) || {
			say "setup: npm ci failed in $1/: is the registry reachable?"
			exit 1
		}
		cp "$1/package-lock.json" "$stamp"
	fi
}

# setup_build DIR [meson options]: configures once, builds.
setup_build() {
	dir=$1
	shift
	if [ ! -f "$dir/build.ninja" ]; then
		meson setup "$dir" -Dwerror=true "$@" >"$dir.setup.log" 2>&1 || {
			cat "$dir.setup.log" >&2
			say "setup: meson setup $dir failed"
			exit 1
		}
	fi
	ninja -C "$dir" -n 2>/dev/null | grep -q 'no work' ||
		say "setup: building in $dir"
	ninja -C "$dir" >"$dir.build.log" 2>&1 || {
		tail -n 40 "$dir.build.log" >&2
		say "setup: the build in $dir failed: $dir.build.log"
		exit 1
	}
}

mkdir -p build
setup_debian
setup_npm tests
