//! The smallest Matroska stream that carries raw pictures with their times: what `ffmpeg` is fed with, because a raw pipe
//! carries no time (RFC 9559).
//!
//! One track of uncompressed I420, BT.709, limited range; each picture in a cluster of its own, so that its time is a
//! 64-bit count of microseconds.

/// The names of the elements.
mod id {
    pub(super) const EBML: u32 = 0x1a45_dfa3;
    pub(super) const EBML_VERSION: u32 = 0x4286;
    pub(super) const EBML_READ_VERSION: u32 = 0x42f7;
    pub(super) const EBML_MAX_ID_LENGTH: u32 = 0x42f2;
    pub(super) const EBML_MAX_SIZE_LENGTH: u32 = 0x42f3;
    pub(super) const DOC_TYPE: u32 = 0x4282;
    pub(super) const DOC_TYPE_VERSION: u32 = 0x4287;
    pub(super) const DOC_TYPE_READ_VERSION: u32 = 0x4285;
    pub(super) const SEGMENT: u32 = 0x1853_8067;
    pub(super) const INFO: u32 = 0x1549_a966;
    pub(super) const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
    pub(super) const MUXING_APP: u32 = 0x4d80;
    pub(super) const WRITING_APP: u32 = 0x5741;
    pub(super) const TRACKS: u32 = 0x1654_ae6b;
    pub(super) const TRACK_ENTRY: u32 = 0xae;
    pub(super) const TRACK_NUMBER: u32 = 0xd7;
    pub(super) const TRACK_UID: u32 = 0x73c5;
    pub(super) const TRACK_TYPE: u32 = 0x83;
    pub(super) const FLAG_LACING: u32 = 0x9c;
    pub(super) const DEFAULT_DURATION: u32 = 0x23_e383;
    pub(super) const CODEC_ID: u32 = 0x86;
    pub(super) const VIDEO: u32 = 0xe0;
    pub(super) const FLAG_INTERLACED: u32 = 0x9a;
    pub(super) const PIXEL_WIDTH: u32 = 0xb0;
    pub(super) const PIXEL_HEIGHT: u32 = 0xba;
    pub(super) const UNCOMPRESSED_FOURCC: u32 = 0x2e_b524;
    pub(super) const COLOUR: u32 = 0x55b0;
    pub(super) const MATRIX: u32 = 0x55b1;
    pub(super) const RANGE: u32 = 0x55b9;
    pub(super) const TRANSFER: u32 = 0x55ba;
    pub(super) const PRIMARIES: u32 = 0x55bb;
    pub(super) const CLUSTER: u32 = 0x1f43_b675;
    pub(super) const TIMESTAMP: u32 = 0xe7;
    pub(super) const SIMPLE_BLOCK: u32 = 0xa3;
}

/// A microsecond in nanoseconds: the unit of our time stamps.
const TIMESTAMP_SCALE: u64 = 1000;
/// The length of what is not known when it begins, in eight bytes.
const UNKNOWN_SIZE: [u8; 8] = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
/// The head of a block: track 1, no offset to the cluster's time, a key frame.
const BLOCK_HEAD: [u8; 4] = [0x81, 0, 0, 0x80];

/// Elements one after the other.
#[derive(Default)]
struct Elements(Vec<u8>);

impl Elements {
    fn id(&mut self, id: u32) {
        let bytes = id.to_be_bytes();
        let zeros = (id.leading_zeros() / 8) as usize;
        self.0.extend_from_slice(&bytes[zeros..]);
    }

    /// The name and the length of an element whose contents follow.
    fn head(&mut self, id: u32, length: u64) {
        self.id(id);
        self.0.extend_from_slice(&(length | 1 << 56).to_be_bytes());
    }

    fn bytes(mut self, id: u32, bytes: &[u8]) -> Self {
        self.head(id, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn number(self, id: u32, number: u64) -> Self {
        self.bytes(id, &number.to_be_bytes())
    }

    fn elements(self, id: u32, elements: Self) -> Self {
        self.bytes(id, &elements.0)
    }
}

/// The start of a stream of I420 pictures of this size in pixels, both sides even. `fps` is a hint only.
pub(super) fn head(width: u32, height: u32, fps: Option<f64>) -> Vec<u8> {
    let ebml = Elements::default()
        .number(id::EBML_VERSION, 1)
        .number(id::EBML_READ_VERSION, 1)
        .number(id::EBML_MAX_ID_LENGTH, 4)
        .number(id::EBML_MAX_SIZE_LENGTH, 8)
        .bytes(id::DOC_TYPE, b"matroska")
        .number(id::DOC_TYPE_VERSION, 4)
        .number(id::DOC_TYPE_READ_VERSION, 2);
    let info = Elements::default()
        .number(id::TIMESTAMP_SCALE, TIMESTAMP_SCALE)
        .bytes(id::MUXING_APP, b"trailsight")
        .bytes(id::WRITING_APP, b"trailsight");
    // All three: BT.709. Range 1: limited.
    let colour = Elements::default()
        .number(id::MATRIX, 1)
        .number(id::RANGE, 1)
        .number(id::TRANSFER, 1)
        .number(id::PRIMARIES, 1);
    let video = Elements::default()
        .number(id::FLAG_INTERLACED, 2)
        .number(id::PIXEL_WIDTH, width.into())
        .number(id::PIXEL_HEIGHT, height.into())
        .bytes(id::UNCOMPRESSED_FOURCC, b"I420")
        .elements(id::COLOUR, colour);
    let mut track = Elements::default()
        .number(id::TRACK_NUMBER, 1)
        .number(id::TRACK_UID, 1)
        .number(id::TRACK_TYPE, 1)
        .number(id::FLAG_LACING, 0)
        .bytes(id::CODEC_ID, b"V_UNCOMPRESSED")
        .elements(id::VIDEO, video);
    if let Some(fps) = fps {
        track = track.number(id::DEFAULT_DURATION, (1e9 / fps).round() as u64);
    }
    let mut head = Elements::default().elements(id::EBML, ebml);
    head.id(id::SEGMENT);
    head.0.extend_from_slice(&UNKNOWN_SIZE);
    let tracks = Elements::default().elements(id::TRACK_ENTRY, track);
    head.elements(id::INFO, info).elements(id::TRACKS, tracks).0
}

/// What stands before a picture of `length` bytes that is shown at this many microseconds.
pub(super) fn picture_head(microseconds: u64, length: usize) -> Vec<u8> {
    let block = (length + BLOCK_HEAD.len()) as u64;
    let mut inside = Elements::default().number(id::TIMESTAMP, microseconds);
    inside.head(id::SIMPLE_BLOCK, block);
    inside.0.extend_from_slice(&BLOCK_HEAD);
    let mut head = Elements::default();
    head.head(id::CLUSTER, inside.0.len() as u64 + length as u64);
    head.0.extend_from_slice(&inside.0);
    head.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_cluster_of_its_own() {
        let head = picture_head(1_000_000, 6);
        let wanted: Vec<u8> = [
            &[0x1f, 0x43, 0xb6, 0x75, 1, 0, 0, 0, 0, 0, 0, 36][..],
            &[0xe7, 1, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40],
            &[0xa3, 1, 0, 0, 0, 0, 0, 0, 10, 0x81, 0, 0, 0x80],
        ]
        .concat();
        assert_eq!(head, wanted);
        assert_eq!(head.len() - 12 + 6, 36, "the cluster's length is that of what is in it");
    }
}
