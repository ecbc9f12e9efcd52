#!/usr/bin/env bash
# Tries the camera commands with a real camera driver, in a virtual machine:
#
#   tests/camera/run.sh target/release/trailsight
#
# The machine is QEMU with a Debian kernel whose own test-pattern camera (vivid) is loaded, and, where it can be built,
# v4l2loopback, which plays what feeder.c writes: the demo clip as a Motion-JPEG camera, the same with damage, and colour
# bars as a camera that has only UYVY, or YU12. What is tried stands in guest.sh. Kernel and modules come from Debian's
# packages, once, into a cache (TRAILSIGHT_VM_CACHE, otherwise ~/.cache/trailsight-vm).
#
# Needs apt packages: qemu-system-x86 busybox-static cpio kmod; for the other cameras also gcc and make.
# Where they are missing it says that it is skipped, and succeeds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(readlink -f "${1:?usage: run.sh TRAILSIGHT}")
cache=${TRAILSIGHT_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/trailsight-vm}

# With REQUIRE_TOOLS=1 what is missing is a failure.
skip() { echo "skipped: the camera test in a virtual machine: $*"; [ "${REQUIRE_TOOLS:-0}" != 1 ] || exit 1; exit 0; }
[ "$(uname -sm)" = "Linux x86_64" ] || skip "it is made for Linux on x86_64"
for tool in qemu-system-x86_64 busybox cpio modprobe depmod dpkg-deb apt-get; do
    command -v $tool >/dev/null || skip "$tool is not installed (apt-get install qemu-system-x86 busybox-static cpio kmod)"
done
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Unpacks Debian packages: into FOLDER, the packages PACKAGE...
fetch() {
    local folder=$1 package; shift
    mkdir -p "$work/packages" "$folder"
    ( cd "$work/packages" && rm -f -- *.deb && apt-get download -qq "$@" >/dev/null 2>&1 ) || return 1
    for package in "$work"/packages/*.deb; do dpkg-deb -x "$package" "$folder"; done
}

# The kernel. The tree is moved into place whole, so that an interrupted run leaves nothing half done.
if [ ! -d "$cache/kernel" ]; then
    image=$(apt-cache depends linux-image-amd64 2>/dev/null | awk '/Depends:/ { print $2; exit }')
    [ -n "$image" ] || skip "apt knows no kernel package (apt-get update)"
    fetch "$work/kernel" "$image" || skip "the kernel package $image cannot be downloaded"
    depmod -b "$work/kernel" "$(ls "$work/kernel/lib/modules")"
    mv "$work/kernel" "$cache/kernel"
fi
version=$(ls "$cache/kernel/lib/modules")

# v4l2loopback and the program that feeds it.
build_loopback() {
    command -v gcc >/dev/null && command -v make >/dev/null || { echo "gcc or make is missing"; return 1; }
    local tree=$work/headers common=${version%-amd64}-common source
    fetch "$tree" v4l2loopback-dkms "linux-headers-$version" "linux-headers-$common" \
        "linux-kbuild-$(echo "$version" | cut -d. -f1-2)" || { echo "the kernel's headers cannot be downloaded"; return 1; }
    # The packages expect to lie at /usr.
    local headers=$tree/usr/src/linux-headers-$version shared=$tree/usr/src/linux-headers-$common
    sed -i "s#/usr/src/#$tree/usr/src/#" "$headers/Makefile"
    for link in "$headers"/* "$shared"/*; do
        if [ -L "$link" ] && [ ! -e "$link" ]; then ln -sfn "$tree/usr/lib/$(basename "$(dirname "$(readlink "$link")")")/$(basename "$link")" "$link"; fi
    done
    source=$(echo "$tree"/usr/src/v4l2loopback-*)
    make -C "$headers" M="$source" CC=gcc modules >"$work/loopback.log" 2>&1 || { tail -5 "$work/loopback.log"; return 1; }
    gcc -O2 -static -o "$work/feeder" "$here/feeder.c" || return 1
    cp "$source/v4l2loopback.ko" "$work/feeder" "$cache/"
}
if [ ! -e "$cache/v4l2loopback.ko" ] || [ "$here/feeder.c" -nt "$cache/feeder" ]; then
    build_loopback || echo "skipped: the cameras that are fed: v4l2loopback does not build here"
fi

# The guest's first files: busybox, the modules in the order in which they need each other, and init.
root=$work/root
mkdir -p "$root"/{bin,dev,etc,host,modules,proc,sys,tmp}
chmod 1777 "$root/tmp"
cp "$(command -v busybox)" "$root/bin/busybox"
for module in virtio_pci 9p 9pnet_virtio vivid; do
    modprobe -d "$cache/kernel" -S "$version" --show-depends $module
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$work/modules"
while read -r file; do
    cp "$file" "$root/modules/"
    basename "$file" >>"$root/modules/order"
done <"$work/modules"
if [ -e "$cache/v4l2loopback.ko" ]; then
    cp "$cache/v4l2loopback.ko" "$root/modules/"
    echo v4l2loopback.ko >>"$root/modules/order"
fi
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do
    case $module in
        vivid.ko) options="n_devs=1 node_types=0x1 num_inputs=1 input_types=0x0" ;;
        v4l2loopback.ko) options="video_nr=9,10,11,12 exclusive_caps=1,1,1,1 card_label=Jukebox,Grabber,Planes,Loose" ;;
        *) options= ;;
    esac
    insmod /modules/$module $options || echo "insmod $module failed"
done
mount -t 9p -o trans=virtio,version=9p2000.L host /host
cp -r /host/system/. /
chmod 755 /
sh /host/guest.sh >/host/out/log 2>&1
poweroff -f
INIT
chmod +x "$root/init"
( cd "$root" && find . | cpio -o -H newc --quiet ) >"$work/initrd"

# What it finds at /host: the program with its libraries, the checks, the clip; and a place for results.
share=$work/share
mkdir -p "$share/out" "$share/system/bin"
cp "$program" "$share/system/bin/trailsight"
{ ldd "$program" || true; } | { grep -oE '/[^ )]+' || true; } | while read -r library; do
    mkdir -p "$share/system$(dirname "$library")"
    cp -L "$library" "$share/system$library"
done
cp "$here/guest.sh" "$here/../../assets/demo.avi" "$share/"
[ ! -e "$cache/v4l2loopback.ko" ] || cp "$cache/feeder" "$share/"

# Emulated, so that it runs anywhere. An emulated timer on a busy machine fails the kernel's check of it, hence the
# first option; and a second attempt where the kernel did not come up at all.
for attempt in 1 2; do
    timeout "${TRAILSIGHT_VM_TIMEOUT:-900}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1536 \
        -nodefaults -no-reboot -display none -serial "file:$work/console" \
        -kernel "$cache/kernel/boot/vmlinuz-$version" -initrd "$work/initrd" \
        -append "no_timer_check console=ttyS0 quiet panic=-1 cryptomgr.notests mitigations=off random.trust_cpu=on" \
        -virtfs "local,path=$share,mount_tag=host,security_model=none,id=host" </dev/null || true
    [ ! -e "$share/out/log" ] || break
    echo "attempt $attempt: the virtual machine did not start:"; tail -3 "$work/console" || true
done
cat "$share/out/log" 2>/dev/null || true
[ -z "${TRAILSIGHT_VM_KEEP:-}" ] || cp -r "$share/out/." "$TRAILSIGHT_VM_KEEP/"
[ -e "$share/out/finished" ] || { echo "FAILED  the checks did not come to their end"; tail -5 "$work/console"; exit 1; }
failed=0
[ ! -e "$share/out/failed" ] || failed=1

# The colours of the bars, in the first frame of what was recorded, between the test pattern's lines of text and its end.
if ! command -v ffmpeg >/dev/null; then
    echo "skipped: the colours of the bars: ffmpeg is not installed"
    exit $failed
fi
for bars in "$share"/out/bars*.avi; do
    found=$(ffmpeg -nostdin -v error -i "$bars" -vf "format=rgb24,crop=640:2:0:300,scale=8:1:flags=area" -frames:v 1 \
        -pix_fmt rgb24 -f rawvideo - 2>/dev/null | od -An -v -t u1 -w3 | awk '{ printf "%s%s%s ", ($1 > 95), ($2 > 95), ($3 > 95) }' || true)
    # White, yellow, cyan, green, magenta, red, blue, black.
    if [ "$found" = "111 110 011 010 101 100 001 000 " ]; then
        echo "ok      the colours of $(basename "$bars")"
    else
        echo "FAILED  the colours of $(basename "$bars"): $found"
        failed=1
    fi
done
exit $failed
