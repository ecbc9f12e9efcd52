//! How much the bus can carry that a camera hangs on, where the system tells it.

/// Bytes a second that a bus carries of one camera.
///
/// On Linux a USB camera's speed stands in `/sys`. What counts is what one isochronous endpoint may take of it, which is
/// how cameras send: 1023 bytes in each of 1000 frames a second at full speed, three times 1024 bytes in each of 8000
/// microframes at high speed (USB 2), 48 times that at SuperSpeed (USB 3). `None`: no USB, or not known.
pub(super) fn bytes_a_second(index: u32) -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    // The camera is an interface of the USB device, whose folder lies around its own.
    let speed =
        std::fs::read_to_string(format!("/sys/class/video4linux/video{index}/device/../speed")).ok()?;
    carried(speed.trim())
}

/// Bytes a second at a speed that is told in Mbit/s.
fn carried(megabits: &str) -> Option<u64> {
    let megabits: f64 = megabits.parse().ok()?;
    match megabits {
        ..=0.0 => None,
        ..=12.0 => Some(1_023_000),
        ..=480.0 => Some(3 * 1024 * 8000),
        ..=5_000.0 => Some(48 * 1024 * 8000),
        ..=1e6 => Some(96 * 1024 * 8000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_what_the_system_writes() {
        assert_eq!(carried("12"), Some(1_023_000));
        assert_eq!(carried("480"), Some(24_576_000));
        assert_eq!(carried("5000"), Some(393_216_000));
        assert_eq!(carried("10000"), carried("20000"));
        for nonsense in ["", "unknown", "-1", "0", "NaN", "inf"] {
            assert_eq!(carried(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_camera_that_is_not_there_has_no_bus() {
        assert_eq!(bytes_a_second(u32::MAX), None);
    }
}
