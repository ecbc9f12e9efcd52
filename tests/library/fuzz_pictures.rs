//! Damaged recordings, pictures and camera buffers, and what ffmpeg may say: see `fuzz/mod.rs`.

use std::io::Cursor;
use std::path::Path;

use crate::fuzz::Target;
use crate::fuzz::readers::{self, Scratch};
use image::{DynamicImage, ImageFormat, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use trailsight::frame::MAX_AREA;
use trailsight::sink::{VideoSettings, VideoWriter};
use trailsight::view::Canvas;

/// A picture as large as pictures may be, its planes, and what lies around it.
const PICTURE_MEMORY: u64 = 3 * MAX_AREA * 3;

fn pixels(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 9) as u8, (y * 17) as u8, ((x ^ y) * 5) as u8]))
}

fn jpeg(width: u32, height: u32, change: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 80);
    change(&mut encoder);
    encoder.encode(pixels(width, height).as_raw(), width as u16, height as u16, ColorType::Rgb).unwrap();
    bytes
}

fn jpegs() -> Vec<Vec<u8>> {
    vec![
        jpeg(24, 16, |_| ()),
        jpeg(33, 17, |encoder| encoder.set_sampling_factor(SamplingFactor::F_2_2)),
        jpeg(16, 24, |encoder| encoder.set_progressive(true)),
        jpeg(40, 8, |encoder| encoder.set_restart_interval(2)),
        jpeg(8, 8, |encoder| encoder.set_optimized_huffman_tables(true)),
    ]
}

const JPEG_WORDS: &[&[u8]] = &[
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xda",
    b"\xff\xdb",
    b"\xff\xc0",
    b"\xff\xc2",
    b"\xff\xc4",
    b"\xff\xdd\0\x04\0\x01",
    b"\xff\xd0",
    b"\xff\xe0\0\x10",
    b"\xff\xe1",
    b"\xff\xee",
    b"\xff\0",
    b"\xff\xff",
    b"AVI1",
    b"Adobe",
];

#[test]
fn jpeg_bytes() {
    let target = Target::new("jpeg", jpegs());
    Target { words: JPEG_WORDS, memory: PICTURE_MEMORY, ..target }.run(readers::jpeg);
}

#[cfg(feature = "camera")]
#[test]
fn camera_buffers() {
    let mut seeds: Vec<_> =
        (0..16).map(|format: u8| [&[format, 8, 4, 0][..], &[100; 8 * 4 * 3]].concat()).collect();
    seeds.extend((0..16).flat_map(|format: u8| {
        jpegs().into_iter().map(move |jpeg| [vec![format, 24, 16, 0], jpeg].concat())
    }));
    Target { words: JPEG_WORDS, ..Target::new("camera", seeds) }.run(readers::camera);
}

/// A recording as we write it.
fn written(frames: u32) -> Vec<u8> {
    let folder = Scratch::new();
    let path = folder.path("seed.avi");
    let settings = VideoSettings { rate: Some(10.0), sound: None, quality: 60 };
    let mut writer = VideoWriter::create(&path, &settings).unwrap();
    for frame in 0..frames {
        let mut canvas = Canvas::new(24, 16);
        canvas.clear(0x20_40_60 + frame * 40);
        writer.write(&canvas, f64::from(frame) / 10.0).unwrap();
    }
    writer.finish().unwrap();
    std::fs::read(path).unwrap()
}

const AVI_WORDS: &[&[u8]] = &[
    b"RIFF",
    b"AVI ",
    b"AVIX",
    b"LIST",
    b"movi",
    b"hdrl",
    b"strl",
    b"avih",
    b"strh",
    b"strf",
    b"vids",
    b"auds",
    b"MJPG",
    b"00dc",
    b"01wb",
    b"idx1",
    b"indx",
    b"ix00",
    b"JUNK",
    b"rec ",
    b"odml",
    b"00dc\0\0\0\0",
    b"00dc\xff\xff\xff\xff",
    b"\xff\xd8\xff",
];

#[test]
fn recordings() {
    let demo = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.avi")).unwrap();
    let seeds = vec![written(3), written(1), written(12), demo[..5_000].to_vec()];
    Target { words: AVI_WORDS, cost: 3, memory: PICTURE_MEMORY, ..Target::new("avi", seeds) }
        .run(readers::avi);
}

#[test]
fn the_demo_clip_cut_and_damaged() {
    let demo = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.avi")).unwrap();
    let target = Target::new("demo", vec![demo[..80_000].to_vec()]);
    Target { words: AVI_WORDS, cost: 60, memory: PICTURE_MEMORY, longest: 1 << 18, ..target }
        .run(readers::avi);
}

#[test]
fn pictures_of_every_format() {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Pnm, Qoi, Tga, Tiff, WebP};
    let mut seeds: Vec<Vec<u8>> = [Png, Bmp, Gif, Jpeg, Pnm, Qoi, Tga, Tiff, WebP]
        .into_iter()
        .map(|format| {
            let mut bytes = Cursor::new(Vec::new());
            DynamicImage::from(pixels(13, 9)).write_to(&mut bytes, format).unwrap();
            bytes.into_inner()
        })
        .collect();
    for (image, format) in [
        (DynamicImage::from(pixels(9, 5)).to_luma16().into(), Png),
        (DynamicImage::from(pixels(9, 5)).to_rgba8().into(), Png),
        (DynamicImage::from(pixels(9, 5)).to_rgba16().into(), Tiff),
        (DynamicImage::from(pixels(9, 5)).to_rgba8().into(), Tga),
    ] {
        let image: DynamicImage = image;
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        seeds.push(bytes.into_inner());
    }
    seeds.push(b"P3\n2 2\n255\n1 2 3 4 5 6 7 8 9 10 11 12\n".to_vec());
    let words: &[&[u8]] = &[
        b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"acTL", b"fcTL", b"II*\0", b"MM\0*", b"VP8X", b"ALPH",
        b"GIF89a",
    ];
    Target { words, cost: 2, memory: 1_600 << 20, ..Target::new("picture", seeds) }.run(readers::picture);
}

#[test]
fn files_of_several_pictures() {
    let encoded = |format| {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::from(pixels(5, 3)).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let mut gif = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut gif);
    for _ in 0..3 {
        let frame = image::Frame::new(DynamicImage::from(pixels(5, 3)).to_rgba8());
        encoder.encode_frame(frame).unwrap();
    }
    drop(encoder);
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let length = (data.len() as u32).to_be_bytes();
        [&length[..], name, data, &[0; 4]].concat()
    };
    let (control, moves) = (chunk(b"fcTL", &[0; 26]), chunk(b"acTL", &[0; 8]));
    let png = [b"\x89PNG\r\n\x1a\n".to_vec(), moves, control.clone(), chunk(b"IDAT", b"x"), control].concat();
    let webp = [&b"RIFF\x50\0\0\0WEBP"[..], &b"ANMF\x10\0\0\0aaaabbbbccccdddd".repeat(2)].concat();
    let seeds = vec![
        encoded(ImageFormat::Tiff),
        encoded(ImageFormat::Pnm).repeat(2),
        b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\nab".repeat(2),
        [jpeg(8, 8, |_| ()), jpeg(8, 8, |_| ())].concat(),
        gif,
        png,
        webp,
    ];
    let words: &[&[u8]] = &[
        b"II*\0",
        b"MM\0*",
        b"II+\0\x08\0\0\0",
        b"\xff\xff\xff\xff",
        b"\xff\xff",
        b"\0\0\0\0",
        b"P6 9 9 255\n",
        b"#",
        b"\n",
        b"ANMF",
        b"fcTL",
        b"IEND",
    ];
    Target { words, ..Target::new("pages", seeds) }.run(readers::pages);
}

#[test]
fn what_the_decoder_says() {
    let log = "[Parsed_showinfo_1 @ 0x55] config in time_base: 1/30000, frame_rate: 30/1\n\
        [Parsed_showinfo_1 @ 0x55] n:   0 pts:   0 pts_time:0 duration:1001 fmt:yuv420p sar:1/1 s:32x18 i:P iskey:1 type:I\n\
        [Parsed_showinfo_1 @ 0x55] color_range:tv color_space:bt709 color_primaries:bt709 color_trc:bt709\n\
        [Parsed_showinfo_1 @ 0x55] n:   1 pts:1001 pts_time:0.03 fmt:gray cl:left sar:1/1 s:5x3 i:P iskey:0 type:P\n\
        [Parsed_showinfo_1 @ 0x55] color_range:pc color_space:unknown\n\
        [Parsed_showinfo_1 @ 0x55] n:   2 pts:2002 pts_time:0.06 fmt:rgb24 sar:1/1 s:5x3 i:P iskey:0 type:P\n";
    Target::new("showinfo", vec![log.into()]).run(readers::showinfo);
}

#[test]
fn what_ffprobe_says() {
    let reply = br#"{"library_versions":[{"name":"libavcodec","major":59,"minor":37}],"streams":[{"codec_type":"video","codec_name":"h264",
        "width":1920,"height":1080,"sample_aspect_ratio":"4:3","r_frame_rate":"30000/1001","avg_frame_rate":"30/1","start_time":"0.5",
        "duration":"12.5","nb_frames":"375","disposition":{"attached_pic":0},"side_data_list":[{"rotation":-90}],"tags":{"rotate":"90"}},
        {"codec_type":"audio"}],"format":{"format_name":"mov,mp4","start_time":"0.0","duration":"12.6"}}"#;
    Target::new("ffprobe", vec![reply.to_vec()]).run(readers::ffprobe);
}

#[test]
fn lists_of_packets() {
    let list = "0.000000,-0.066733,K__\n0.133467,-0.033367,___\n0.066733,0.000000,___\n0.033367,0.033367,__D,\n0.2,N/A,K_\n";
    Target::new("packets", vec![list.into()]).run(readers::packets);
}

#[test]
fn words_for_sources() {
    let seeds = [
        "0",
        "simulate:demo?freeze=1,gone=2..3",
        "rtsp://user:pass@host:554/a?b=c",
        "http://[::1]/x.mjpg",
        "*.png",
        "a/b/[c].jpg",
        "webcam",
    ];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec()).to_vec();
    Target::new("source", seeds).run(readers::source);
}
