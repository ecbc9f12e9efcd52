#!/bin/sh
# What is tried inside the virtual machine; started by its init, see run.sh. Each check prints one line.
# There is a test-pattern camera (vivid) at /dev/video0, and, where /host/feeder is, a Motion-JPEG camera at /dev/video9.
cd /tmp || exit 1
export HOME=/tmp
# The network is slow on an emulated processor: the smallest input that still finds people in the clip.
small="--set detector.input=320x320"
bars="--set source.camera.width=640 --set source.camera.height=360 --set source.camera.fps=30"

check() { # NAME COMMAND...: the command has to succeed
    name=$1; shift
    if "$@"; then echo "ok      $name"; else echo "FAILED  $name"; : >/host/out/failed; fi
}
says() { grep -qF -- "$2" "$1" || { echo "--- $1 does not say “$2”:"; cat "$1"; false; }; }
# Waits until the command succeeds, at most so many seconds.
within() { left=$1; shift; until "$@" 2>/dev/null; do left=$((left - 1)); [ $left -gt 0 ] || return 1; sleep 1; done; }
larger() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt "$2" ]; }
code() { wait "$1"; [ $? = "$2" ]; }

trailsight cameras >cameras.txt 2>&1
check "cameras: the camera is listed by its name" says cameras.txt vivid
for format in YUYV NV12 RGB3 BGR3; do check "cameras: $format is listed" says cameras.txt $format; done

trailsight track 7 --tracks none.txt >none.log 2>&1
check "a camera that is not there fails" [ $? = 1 ]
check "a camera that is not there: those that are get listed" says none.log "0 “vivid"

trailsight track VIVID $small $bars -v --tracks bars.txt --video /host/out/bars.avi >bars.log 2>&1 &
first=$!
check "a camera by a part of its name gives frames" within 120 larger /host/out/bars.partial.avi 100000
check "it says what was wished and what was got" says bars.log "wished 640×360 at 30 fps, got YUYV 640×360 at 30 fps"
trailsight track 0 $bars --tracks busy.txt >busy.log 2>&1
check "a camera in use fails" [ $? = 1 ]
check "a camera in use: the sentence says so" says busy.log "another program is using it"
kill -TERM $first
check "a signal ends it with its own code" code $first 143

chmod 600 /dev/video0
printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >/etc/passwd
su -s /bin/sh nobody -c "trailsight track 0 --tracks /tmp/denied.txt" >denied.log 2>&1
check "a camera without permission fails" [ $? = 1 ]
check "a camera without permission: the sentence names the group" says denied.log "usermod -aG video"

trailsight track 0 $small $bars --tracks gone.txt --video gone.avi >gone.log 2>&1 &
second=$!
within 120 larger gone.partial.avi 100000
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
check "a camera that is pulled out ends the run with code 1" code $second 1
check "a camera that is pulled out: the sentence says so" says gone.log "the camera is gone"
check "a camera that is pulled out: the video stays" [ -s gone.partial.avi -o -s gone.avi ]
echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
trailsight cameras >back.txt 2>&1
check "a camera that is put back is listed again" says back.txt vivid

if [ -x /host/feeder ]; then
    /host/feeder /dev/video9 /host/demo.avi 768 576 5 2>feeder.log &
    sleep 1
    trailsight cameras >loopback.txt 2>&1
    check "cameras: Motion-JPEG is listed" says loopback.txt "MJPG"
    trailsight track 9 $small -v --tracks people.txt >people.log 2>&1 &
    third=$!
    check "people in a Motion-JPEG camera's pictures are tracked" within 180 grep -q , people.partial.txt
    check "the nearest that there is was chosen" says people.log "got MJPG 768×576 at 5 fps"
    kill -TERM $third
    check "and it ends when told to" code $third 143
    cat feeder.log
fi
: >/host/out/finished
