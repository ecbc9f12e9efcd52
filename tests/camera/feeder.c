// Plays the camera: writes the JPEGs of a Motion-JPEG AVI into a v4l2loopback device, over and over, in time.
//
//   feeder DEVICE FILE.avi WIDTH HEIGHT FPS
//
// Part of run.sh, for a file that is known to be sound.
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int failed(const char *what) {
    perror(what);
    return 1;
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(stderr, "usage: feeder DEVICE FILE.avi WIDTH HEIGHT FPS\n");
        return 2;
    }
    FILE *file = fopen(arguments[2], "rb");
    if (!file || fseek(file, 0, SEEK_END)) return failed(arguments[2]);
    size_t length = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(length);
    if (!bytes || fread(bytes, 1, length, file) != length) return failed(arguments[2]);

    int device = open(arguments[1], O_RDWR);
    if (device < 0) return failed(arguments[1]);
    unsigned width = atoi(arguments[3]), height = atoi(arguments[4]), fps = atoi(arguments[5]);
    struct v4l2_format format = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT};
    format.fmt.pix.width = width;
    format.fmt.pix.height = height;
    format.fmt.pix.pixelformat = V4L2_PIX_FMT_MJPEG;
    format.fmt.pix.field = V4L2_FIELD_NONE;
    format.fmt.pix.colorspace = V4L2_COLORSPACE_JPEG;
    format.fmt.pix.sizeimage = width * height * 2;
    if (ioctl(device, VIDIOC_S_FMT, &format)) return failed("the format");
    struct v4l2_streamparm rate = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT};
    rate.parm.output.timeperframe.numerator = 1;
    rate.parm.output.timeperframe.denominator = fps;
    if (ioctl(device, VIDIOC_S_PARM, &rate)) return failed("the rate");

    const struct timespec pause = {.tv_sec = fps == 1, .tv_nsec = fps == 1 ? 0 : 1000000000L / fps};
    for (;;) {
        // A chunk is four letters, a length, and that many bytes, padded to an even number. Lists hold chunks: of
        // those only the one with the frames, named "movi", is entered.
        for (size_t at = 12; at + 12 <= length;) {
            const unsigned char *chunk = bytes + at;
            size_t size = chunk[4] | chunk[5] << 8 | chunk[6] << 16 | (size_t)chunk[7] << 24;
            if (!memcmp(chunk, "LIST", 4) && !memcmp(chunk + 8, "movi", 4)) {
                at += 12;
                continue;
            }
            if (!memcmp(chunk, "00dc", 4) && at + 8 + size <= length) {
                if (write(device, chunk + 8, size) < 0) return failed("a frame");
                nanosleep(&pause, NULL);
            }
            at += 8 + size + size % 2;
        }
    }
}
