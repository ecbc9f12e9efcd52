# The headless program: no camera, no window. It runs without root and writes into the working directory, /data.
#
#   docker build --tag trailsight .
#   docker run --rm --init --volume "$PWD:/data" --user "$(id -u):$(id -g)" trailsight track video.mp4 --tracks out.txt
#
# Without arguments it tracks the demo clip into /data/trailsight-out. `--target small` leaves ffmpeg out (most of the image):
# what is left reads images and Motion-JPEG AVI and writes AVI, GIF and track files.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
# The features without system libraries: neither libclang nor headers are needed.
RUN cargo build --release --locked --no-default-features --features cli,detector --bin trailsight \
    && strip target/release/trailsight

FROM debian:bookworm-slim AS small
RUN useradd --uid 10001 --create-home --home-dir /data trailsight
COPY --from=build /build/target/release/trailsight /usr/local/bin/trailsight
COPY --from=build /build/LICENSE-MIT /build/LICENSE-APACHE /usr/local/share/doc/trailsight/
USER 10001
WORKDIR /data
ENTRYPOINT ["trailsight"]

FROM small
USER 0
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/*
USER 10001
