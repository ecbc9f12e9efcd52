// Plays the camera: writes pictures into a v4l2loopback device, over and over, in time.
//
//   feeder DEVICE WHAT WIDTH HEIGHT FPS
//
// WHAT is a Motion-JPEG AVI, whose JPEGs are written; the same behind "broken:", of which five in eight are damaged, each
// in another way; or "UYVY" or "YU12", colour bars in that format. FPS may be a fraction, 30000/1001.
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

static int device;
static struct timespec pause_;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void put(const unsigned char *bytes, size_t length) {
    if (write(device, bytes, length) < 0) fail("a frame");
    nanosleep(&pause_, NULL);
}

// White, yellow, cyan, green, magenta, red, blue, black at 100 %: Y', Cb, Cr by BT.601 in limited range.
static const unsigned char BARS[8][3] = {{235, 128, 128}, {210, 16, 146}, {170, 166, 16}, {145, 54, 34},
                                         {106, 202, 222}, {81, 90, 240},  {41, 240, 110}, {16, 128, 128}};

static void bars(int planar, unsigned width, unsigned height) {
    size_t length = planar ? width * height * 3 / 2 : width * height * 2;
    unsigned char *picture = malloc(length);
    if (!picture) fail("memory");
    for (unsigned y = 0; y < height; y++)
        for (unsigned x = 0; x < width; x++) {
            const unsigned char *bar = BARS[x * 8 / width];
            if (planar) {
                picture[y * width + x] = bar[0];
                if (x % 2 == 0 && y % 2 == 0) {
                    size_t at = width * height + y / 2 * (width / 2) + x / 2;
                    picture[at] = bar[1];
                    picture[at + width * height / 4] = bar[2];
                }
            } else {
                size_t at = (y * width + x) * 2;
                picture[at] = bar[1 + x % 2];
                picture[at + 1] = bar[0];
            }
        }
    for (;;) put(picture, length);
}

// Writes a JPEG as a bad cable would deliver it.
static void damaged(const unsigned char *jpeg, size_t length, int how) {
    unsigned char *copy = malloc(length);
    if (!copy) fail("memory");
    memcpy(copy, jpeg, length);
    switch (how) {
    case 0: // cut off
        length /= 2;
        break;
    case 1: // nothing of a JPEG at all
        for (size_t i = 0; i < length; i++) copy[i] = rand();
        break;
    case 2:
        memset(copy, 0, length);
        break;
    case 3: // a monstrous size in the frame's header
        for (size_t i = 2; i + 9 < length; i++)
            if (copy[i] == 0xFF && copy[i + 1] == 0xC0) {
                memset(copy + i + 5, 0xFF, 4);
                break;
            }
        break;
    default: // no header, but what is behind it
        memset(copy, 0x55, length < 600 ? length : 600);
    }
    put(copy, length);
    free(copy);
}

static void jpegs(const char *name, int broken) {
    FILE *file = fopen(name, "rb");
    if (!file || fseek(file, 0, SEEK_END)) fail(name);
    size_t length = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(length);
    if (!bytes || fread(bytes, 1, length, file) != length) fail(name);
    for (unsigned frame = 0;;) {
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
                if (broken && frame % 8 < 5) damaged(chunk + 8, size, frame % 8);
                else put(chunk + 8, size);
                frame++;
            }
            at += 8 + size + size % 2;
        }
    }
}

int main(int count, char **arguments) {
    if (count != 6) {
        fprintf(stderr, "usage: feeder DEVICE FILE.avi|broken:FILE.avi|UYVY|YU12 WIDTH HEIGHT FPS\n");
        return 2;
    }
    const char *what = arguments[2];
    int uyvy = !strcmp(what, "UYVY"), planar = !strcmp(what, "YU12"), broken = !strncmp(what, "broken:", 7);
    unsigned width = atoi(arguments[3]), height = atoi(arguments[4]), frames = 0, seconds = 1;
    if (sscanf(arguments[5], "%u/%u", &frames, &seconds) < 1 || !frames) return 2;
    device = open(arguments[1], O_RDWR);
    if (device < 0) fail(arguments[1]);

    struct v4l2_format format = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT};
    format.fmt.pix.width = width;
    format.fmt.pix.height = height;
    format.fmt.pix.field = V4L2_FIELD_NONE;
    format.fmt.pix.colorspace = uyvy || planar ? V4L2_COLORSPACE_SMPTE170M : V4L2_COLORSPACE_JPEG;
    format.fmt.pix.pixelformat = uyvy ? V4L2_PIX_FMT_UYVY : planar ? V4L2_PIX_FMT_YUV420 : V4L2_PIX_FMT_MJPEG;
    format.fmt.pix.sizeimage = planar ? width * height * 3 / 2 : width * height * 2;
    if (ioctl(device, VIDIOC_S_FMT, &format)) fail("the format");
    struct v4l2_streamparm rate = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT};
    rate.parm.output.timeperframe.numerator = seconds;
    rate.parm.output.timeperframe.denominator = frames;
    if (ioctl(device, VIDIOC_S_PARM, &rate)) fail("the rate");

    double pause = (double)seconds / frames;
    pause_.tv_sec = (time_t)pause;
    pause_.tv_nsec = (long)((pause - (double)pause_.tv_sec) * 1e9);
    if (uyvy || planar) bars(planar, width, height);
    jpegs(broken ? what + 7 : what, broken);
}
