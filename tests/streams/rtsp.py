"""An RTSP server for tests: python3 rtsp.py PORT FPS [locked] [udp]

Serves rtsp://127.0.0.1:PORT/live, locked only to the user "me" with the password "hunter2", udp over UDP alone: Motion-JPEG, 640 × 480, grey.
The upper half of each picture tells when it was made: sixteen blocks from left to right, white for 1 and black for 0,
the most significant first, are the milliseconds of the wall clock modulo 65536. The lower half has a white bar that
moves. Prints "ready" once it listens on the loopback, and only there.

Needs Debian's gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-base and -good.
"""

import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
gi.require_version("GstRtsp", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

WIDTH, HEIGHT, BLOCKS = 640, 480, 16
FPS = int(sys.argv[2])
LOCKED = "locked" in sys.argv[3:]

PIPELINE = (
    f"( appsrc name=pictures is-live=true do-timestamp=true format=time "
    f"caps=video/x-raw,format=GRAY8,width={WIDTH},height={HEIGHT},framerate={FPS}/1 "
    f"! videoconvert ! video/x-raw,format=I420 ! jpegenc quality=90 ! rtpjpegpay name=pay0 pt=26 )"
)


def picture(number):
    stamp = time.time_ns() // 1_000_000 % 65536
    block = WIDTH // BLOCKS
    row = b"".join((b"\xff" if stamp >> (BLOCKS - 1 - bit) & 1 else b"\x00") * block for bit in range(BLOCKS))
    at = number * 8 % (WIDTH - 40)
    bar = b"\x40" * at + b"\xff" * 40 + b"\x40" * (WIDTH - 40 - at)
    return row * (HEIGHT // 2) + bar * (HEIGHT // 2)


def feed(_factory, media):
    source = media.get_element().get_child_by_name("pictures")
    state = {"number": 0}

    def push():
        made = source.emit("push-buffer", Gst.Buffer.new_wrapped(picture(state["number"])))
        state["number"] += 1
        return made == Gst.FlowReturn.OK

    GLib.timeout_add(1000 // FPS, push)


def main():
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    live = GstRtspServer.RTSPMediaFactory()
    live.set_launch(PIPELINE)
    live.set_shared(True)
    if "udp" in sys.argv[3:]:
        live.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    live.connect("media-configure", feed)
    server.get_mount_points().add_factory("/live", live)
    if LOCKED:
        viewer = GstRtspServer.RTSPToken()
        viewer.set_string("media.factory.role", "viewer")
        auth = GstRtspServer.RTSPAuth()
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic("me", "hunter2"), viewer)
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role("viewer")
        for what in ("access", "construct"):
            permissions.add_permission_for_role("viewer", f"media.factory.{what}", True)
        live.set_permissions(permissions)
    if server.attach(None) == 0:
        sys.exit(f"cannot listen on port {sys.argv[1]}")
    print("ready", flush=True)
    GLib.MainLoop().run()


main()
