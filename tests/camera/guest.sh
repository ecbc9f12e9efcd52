#!/bin/sh
# What is tried inside the virtual machine; started by its init, see run.sh. Each check prints one line.
# There is a test-pattern camera (vivid) at /dev/video0, and, where /host/feeder is, loopback devices from /dev/video9 on.
cd /tmp || exit 1
export HOME=/tmp
# The network is slow on an emulated processor: the smallest input that still finds people in the clip, and elsewhere
# the smallest there is, and hardly ever.
small="--set detector.input=192x160"
rare="--set detector.input=64x64 --set detector.min_interval=60"
wish="--set source.camera.width=640 --set source.camera.height=360 --set source.camera.fps=30"

check() { # NAME COMMAND...: the command has to succeed
    name=$1; shift
    if "$@"; then echo "ok      $name"; else echo "FAILED  $name"; : >/host/out/failed; fi
}
says() { grep -qF -- "$2" "$1" || { echo "--- $1 does not say “$2”:"; cat "$1"; false; }; }
# Waits until the command succeeds, at most so many seconds.
within() { left=$1; shift; until "$@" 2>/dev/null; do left=$((left - 1)); [ $left -gt 0 ] || return 1; sleep 1; done; }
larger() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -gt "$2" ]; }
code() { wait "$1"; [ $? = "$2" ]; }
# Records from a camera until there is something: NAME CAMERA OPTIONS...; into NAME.log and, for the host, NAME.avi.
record() {
    tape=$1; shift
    trailsight track "$@" $rare $wish -vv --tracks "$tape.txt" --video "/host/out/$tape.avi" >"$tape.log" 2>&1 &
    recorder=$!
    within 120 larger "/host/out/$tape.partial.avi" 20000
}
# Ends what is recorded.
finish() { kill -TERM $recorder; code $recorder 143; }

trailsight cameras >cameras.txt 2>&1
check "cameras: the camera is listed by its name" says cameras.txt vivid
for format in YUYV UYVY NV12 NV16 YU12 YV12 422P RGB3 BGR3 GREY; do
    check "cameras: $format is listed" says cameras.txt $format
done
check "cameras: a rate that is a fraction is listed" says cameras.txt "12.5"

trailsight track 7 --tracks none.txt >none.log 2>&1
check "a camera that is not there fails" [ $? = 1 ]
check "a camera that is not there: those that are get listed" says none.log "0 “vivid"

check "a camera by a part of its name gives frames" record bars VIVID
check "it says what was wished and what was got" says bars.log "asked for 640×360 at 30 fps, got YUYV 640×360 at 30 fps"
check "the driver's time stamps count" grep -qE "taken [0-9.]+ ms before it arrived" bars.log
grep -o "the first picture was taken.*" bars.log
trailsight track 0 $wish --tracks busy.txt >busy.log 2>&1
check "a camera in use fails" [ $? = 1 ]
check "a camera in use: the sentence says who has it" says busy.log "another program is using it (“trailsight”, process $recorder)"
check "a signal ends it with its own code" finish

# Before the device is left in a format that nokhwa does not know: then it would refuse the device.
check "the same camera through nokhwa gives frames" record bars-nokhwa 0 --set source.camera.backend=nokhwa
check "the same camera through nokhwa says what was got" says bars-nokhwa.log "got YUYV 640×360 at 30 fps"
check "the same camera through nokhwa ends when told to" finish

check "a pinned format with a fractional rate gives frames" \
    record bars-uyvy 0 --set source.camera.format="UYVY 640x360@12.5"
check "a pinned format is what was got" says bars-uyvy.log "got UYVY 640×360 at 12.5 fps"
check "and it ends when told to" finish
check "another pinned format gives frames" record bars-yu12 0 --set source.camera.format="YU12 640x360"
check "another pinned format is what was got" says bars-yu12.log "got YU12 640×360 at 30 fps"
check "and it ends too" finish
trailsight track 0 --set source.camera.format="MJPG 640x360" --tracks pin.txt >pin.log 2>&1
check "a pinned format that is not there fails" [ $? = 1 ]
check "a pinned format that is not there: those that are get listed" says pin.log "YUYV 640x360@"
trailsight track 0 --set source.camera.format="H264" --tracks pin.txt >letters.log 2>&1
check "an unknown pixel format is an error of the settings" [ $? = 2 ]
check "an unknown pixel format: what is allowed is told" says letters.log "MJPG 1280x720@30"

chmod 600 /dev/video0
printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >/etc/passwd
su -s /bin/sh nobody -c "trailsight track 0 --tracks /tmp/denied.txt" >denied.log 2>&1
check "a camera without permission fails" [ $? = 1 ]
check "a camera without permission: the sentence names the group" says denied.log "usermod -aG video"

check "a camera gives frames before it is pulled out" record gone 0 --set source.camera.give_up_seconds=1
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
check "a camera that stays away ends the run with code 1" code $recorder 1
check "a camera that stays away: the sentence says so" says gone.log "the camera is gone"
check "a camera that stays away: the video stays" [ -s /host/out/gone.partial.avi -o -s /host/out/gone.avi ]
echo vivid.0 >/sys/bus/platform/drivers/vivid/bind
trailsight cameras >back.txt 2>&1
check "a camera that is put back is listed again" says back.txt vivid

# Pulled out while it runs, and put back: told, waited for, and gone on with.
unit=/sys/bus/platform/drivers/vivid
told() { grep -q -- "$1" status.json; }
frame() { sed -n 's/.*"frame":\([0-9]*\).*/\1/p' status.json; }
counted_on() { [ "$(frame)" -gt "$1" ]; }
trailsight track 0 $rare --set detector.min_interval=2 $wish -v --status-file status.json --tracks again.txt >again.log 2>&1 &
recorder=$!
check "replug: the status tells that all is well" within 60 told '"condition":"good"'
echo vivid.0 >$unit/unbind
check "replug: the status tells that it is gone" within 20 told '"condition":"gone"'
gone=$(frame)
echo vivid.0 >$unit/bind
check "replug: it is opened again" within 60 told '"condition":"good".*"reopened":1'
check "replug: pictures come again, and that is told" within 30 says again.log "pictures come again"
check "replug: frames are counted on" within 60 counted_on "${gone:-999999}"
check "replug: it ends when told to" finish
cat status.json; grep -v "^the first" again.log

if [ -x /host/feeder ]; then
    trailsight track 9 --tracks mute.txt >mute.log 2>&1
    check "a loopback device that nothing is written to fails" [ $? = 1 ]
    check "a loopback device that nothing is written to: the sentence says so" says mute.log "no program writes to"

    /host/feeder /dev/video9 /host/demo.avi 768 576 5 2>feeder.log &
    feeder=$!
    /host/feeder /dev/video10 UYVY 640 360 30000/1001 2>>feeder.log &
    /host/feeder /dev/video11 YU12 640 360 10 2>>feeder.log &
    /host/feeder /dev/video12 broken:/host/demo.avi 768 576 10 2>>feeder.log &
    sleep 1
    trailsight cameras >loopback.txt 2>&1
    check "cameras: Motion-JPEG is listed" says loopback.txt "MJPG"
    check "cameras: 30000/1001 is listed" says loopback.txt "29.97"

    check "a camera that has only UYVY gives frames" record bars-grabber grab
    check "a camera that has only UYVY: at its own rate" says bars-grabber.log "got UYVY 640×360 at 29.97 fps"
    check "a camera that has only UYVY ends when told to" finish
    check "a camera that has only YU12 gives frames" record bars-planes planes
    check "a camera that has only YU12: that is got" says bars-planes.log "got YU12 640×360 at 10 fps"
    check "a camera that has only YU12 ends when told to" finish

    check "a camera with damaged pictures gives the others" record loose Loose
    check "damaged pictures are told and counted" \
        within 60 grep -qE "a damaged frame was skipped \(([2-9]|[1-9][0-9]+) so far" loose.log
    check "it ends when told to, after damage" finish

    # The driver waits for ever when nobody writes to the device. The file of the run before would tell of its pictures.
    rm -f status.json
    trailsight track 9 $rare -v --status-file status.json --tracks stall.txt >stall.log 2>&1 &
    recorder=$!
    check "stall: the status tells of the first picture" within 120 told '"frame":[0-9].*"condition":"good"'
    kill -STOP $feeder
    check "stall: the status tells it" within 30 told '"condition":"stalled"'
    kill -CONT $feeder
    check "stall: the status tells that it is over" within 30 told '"condition":"good"'
    check "stall: the log tells that it is over" within 10 says stall.log "pictures come again"
    kill -STOP $feeder
    sleep 3
    check "stall: it ends when told to, while the driver waits" finish
    kill -CONT $feeder
    grep "pictures" stall.log

    trailsight track 9 $small -v --tracks people.txt >people.log 2>&1 &
    recorder=$!
    check "people in a Motion-JPEG camera's pictures are tracked" within 180 grep -q , people.partial.txt
    check "the nearest that there is was chosen" says people.log "got MJPG 768×576 at 5 fps"
    check "and it ends when told to" finish
    cat feeder.log
fi
cp ./*.log /host/out/
: >/host/out/finished
