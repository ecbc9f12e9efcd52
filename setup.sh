#!/bin/sh
# Installs what building and running trailsight needs, where it is missing; does nothing where all is there.
#
#   sh setup.sh
#
# Debian and Ubuntu: through apt-get, with sudo where this is not root. Other systems: names the command, untested.
# Rust has to be there, or rustup. Asks nothing. Exit code 0: it can be built; 1: it cannot, and what to do is said.
set -eu
cd "$(dirname "$0")"

say() { printf 'setup: %s\n' "$*"; }
stop() { printf 'setup: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
any() { for file in "$@"; do if [ -e "$file" ]; then return 0; fi; done; return 1; }
system=$(uname -s)

# ---- What is needed, and how to see whether it is there ----

have_compiler() { have cc; }
have_c_headers() { any /usr/include/stdio.h; }
# The camera bindings are made from the kernel's headers by libclang, a library: the compiler clang is not needed.
have_libclang() {
    any "${LIBCLANG_PATH:-/nowhere}"/libclang*.so* /usr/lib/llvm*/lib/libclang*.so* /usr/lib/llvm/*/lib*/libclang*.so* \
        /usr/lib/*/libclang*.so* /usr/lib/libclang*.so* /usr/lib64/libclang*.so* /usr/local/lib/libclang*.so* &&
        any /usr/lib/llvm*/lib/clang/*/include/stddef.h /usr/lib/llvm/*/lib*/clang/*/include/stddef.h \
            /usr/lib/clang/*/include/stddef.h /usr/lib64/clang/*/include/stddef.h /usr/local/lib/clang/*/include/stddef.h
}
have_library() {
    any /usr/lib/"$1"* /usr/lib64/"$1"* /usr/lib/*/"$1"* /lib/"$1"* /lib/*/"$1"* /usr/local/lib/"$1"*
}
have_certificates() {
    any /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem
}

# Fills `build` and `run` with the Debian packages whose contents are missing: for building, and for running only.
look() {
    build='' run=''
    have_compiler || build="$build gcc"
    have_certificates || build="$build ca-certificates"
    if [ "$system" = Linux ]; then
        have_c_headers || build="$build libc6-dev"
        have_libclang || build="$build libclang-dev"
        # The window loads these when it opens: the first two on X11, the others on Wayland.
        have_library libX11.so.6 || run="$run libx11-6"
        have_library libXcursor.so.1 || run="$run libxcursor1"
        have_library libxkbcommon.so.0 || run="$run libxkbcommon0"
        have_library libwayland-client.so.0 || run="$run libwayland-client0"
        have_library libwayland-cursor.so.0 || run="$run libwayland-cursor0"
    fi
    if ! have ffmpeg || ! have ffprobe; then run="$run ffmpeg"; fi
    build=${build# } run=${run# }
    missing=$build${build:+${run:+ }}$run
}

# ---- Rust ----

cargo_home=${CARGO_HOME:-${HOME:-}/.cargo}
wanted=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)

# The version that a build in this folder would use, or nothing.
rust_version() { { cargo --version >/dev/null && rustc --version; } 2>/dev/null | cut -d' ' -f2 | cut -d- -f1; }

rust_is_enough() {
    printf '%s\n' "$(rust_version)" | awk -v wanted="$wanted" '
        { split($0, is, "."); split(wanted, least, ".");
          exit !(is[1] + 0 > least[1] + 0 || (is[1] + 0 == least[1] + 0 && is[2] + 0 >= least[2] + 0)) }'
}

get_rust() {
    if ! have cargo && ! have rustup && [ -x "$cargo_home/bin/cargo" ]; then
        stop "Rust is installed but not on the PATH; run: . \"$cargo_home/env\" and then this script again"
    fi
    if ! have rustup; then
        found=$(rust_version)
        stop "Rust $wanted or newer is needed${found:+, and this is $found}; install it from https://rustup.rs with:" \
            "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    fi
    say "installing the stable Rust toolchain with rustup"
    rustup toolchain install stable --profile minimal --no-self-update ||
        stop "rustup could not install it; Rust $wanted or newer is needed"
    rust_is_enough || rustup override set stable
    rust_is_enough || stop "Rust $wanted or newer is needed, and after installing the stable toolchain this is $(rust_version)"
    did="${did:+$did, }Rust $(rust_version)"
}

# ---- Other systems: their names for the same things, as far as is known ----

named_command() {
    [ "$system" != Darwin ] || { echo "xcode-select --install; brew install ffmpeg"; return; }
    case " $(. /etc/os-release 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}") " in
        *" fedora "*) echo "sudo dnf install gcc glibc-devel kernel-headers clang-devel libX11 libXcursor libxkbcommon libwayland-client libwayland-cursor ffmpeg-free ca-certificates" ;;
        *" arch "*) echo "sudo pacman -S --needed base-devel clang linux-api-headers libx11 libxcursor libxkbcommon wayland ffmpeg ca-certificates" ;;
        *suse*) echo "sudo zypper install gcc glibc-devel linux-glibc-devel clang-devel libX11-6 libXcursor1 libxkbcommon0 libwayland-client0 libwayland-cursor0 ffmpeg ca-certificates" ;;
        *" alpine "*) echo "sudo apk add build-base linux-headers clang-dev clang-libclang libx11 libxcursor libxkbcommon wayland-libs-client wayland-libs-cursor ffmpeg ca-certificates" ;;
        *) echo "" ;;
    esac
}

# ---- Do it ----

did='' note=''
look
if [ -n "$missing" ]; then
    if have apt-get; then
        as_root=''
        if [ "$(id -u)" != 0 ]; then as_root=sudo; fi
        if [ -n "$as_root" ] && ! have sudo; then
            say "packages are missing, and this is neither root nor is there sudo; as root, run: apt-get install $missing"
            as_root=false
        else
            say "installing with ${as_root:+sudo and }apt-get: $missing"
        fi
        # shellcheck disable=SC2086 # the words are packages
        if $as_root apt-get -qq update &&
            $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing >/dev/null
        then
            did=$missing
        fi
    else
        command=$(named_command)
        say "missing, by Debian's names: $missing"
        if [ -n "$command" ]; then say "for this system the command should be (untested): $command"; fi
    fi
    look
    [ -z "$build" ] || stop "it cannot be built without these packages, by Debian's names: $build"
    [ -z "$run" ] || note="; not there, and some things will not work without: $run"
fi
rust_is_enough || get_rust
if [ -n "$did" ]; then
    say "ready; installed: $did$note"
elif [ -n "$note" ]; then
    say "ready$note"
else
    say "ready; all was there already"
fi
