//! Which camera is meant by what a person typed. Knows no device.

/// A camera's number and name.
pub(super) type Named = (u32, String);

/// The cameras that `which` can mean.
///
/// A number (or Linux's `/dev/video` and a number) means the camera with that index. Anything else, and a number that
/// no camera has, means the cameras with that name, or else those with it in their names; upper and lower case are the
/// same.
pub(super) fn matching<'a>(which: &str, cameras: &'a [Named]) -> Vec<&'a Named> {
    let which = which.trim();
    if let Ok(number) = which.strip_prefix("/dev/video").unwrap_or(which).parse::<u32>()
        && let Some(camera) = cameras.iter().find(|(index, _)| *index == number)
    {
        return vec![camera];
    }
    if which.is_empty() {
        return Vec::new();
    }
    let wanted = which.to_lowercase();
    let named = |fits: &dyn Fn(&str) -> bool| -> Vec<&'a Named> {
        cameras.iter().filter(|(_, name)| fits(&name.to_lowercase())).collect()
    };
    let exact = named(&|name| name == wanted);
    if exact.is_empty() { named(&|name| name.contains(&wanted)) } else { exact }
}

/// Why there is no camera `which`, and which there are.
pub(super) fn none_matches(cameras: &[Named]) -> String {
    if cameras.is_empty() {
        return no_camera();
    }
    let all: Vec<&Named> = cameras.iter().collect();
    format!(
        "no camera has this number or name; there {}. `trailsight cameras` lists them with their formats",
        are(&all)
    )
}

/// Why it is not clear which camera is meant.
pub(super) fn several_match(cameras: &[&Named]) -> String {
    format!("more than one camera fits; there {}. Use the number, or more of the name", are(cameras))
}

/// That there is nothing to choose from.
fn no_camera() -> String {
    let hint = if cfg!(target_os = "linux") {
        "the system shows none as /dev/video0 or another number (a container or virtual machine has to be given one)"
    } else {
        "the system shows none"
    };
    format!("there is no camera: {hint}. Plug one in, or give a video file instead")
}

fn are(cameras: &[&Named]) -> String {
    let list: Vec<String> = cameras.iter().map(|(index, name)| format!("{index} “{name}”")).collect();
    format!("{} {}", if list.len() == 1 { "is only" } else { "are" }, list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cameras() -> Vec<Named> {
        [(0, "Integrated Camera"), (2, "HD Pro Webcam C920"), (4, "Webcam"), (10, "ÜBERWACHUNG 3")]
            .map(|(index, name)| (index, name.to_owned()))
            .to_vec()
    }

    #[test]
    fn numbers_and_names_find_their_cameras() {
        let cases: [(&str, &[u32]); 14] = [
            ("0", &[0]),
            ("2", &[2]),
            (" 10 ", &[10]),
            ("/dev/video4", &[4]),
            ("/dev/video5", &[]),
            ("integrated", &[0]),
            ("C920", &[2]),
            ("920", &[2]),
            ("webcam", &[4]),
            ("web", &[2, 4]),
            ("überwachung", &[10]),
            ("", &[]),
            ("7", &[]),
            ("-1", &[]),
        ];
        for (which, expected) in cases {
            let cameras = cameras();
            let found: Vec<u32> = matching(which, &cameras).iter().map(|(index, _)| *index).collect();
            assert_eq!(found, expected, "{which:?}");
        }
    }

    #[test]
    fn sentences_name_what_there_is() {
        let cameras = cameras();
        let none = none_matches(&cameras);
        for (index, name) in &cameras {
            assert!(none.contains(&format!("{index} “{name}”")), "{none}");
        }
        assert!(none_matches(&cameras[..1]).contains("there is only 0 “Integrated Camera”"));
        assert!(none_matches(&[]).contains("there is no camera"));
        let several = several_match(&matching("web", &cameras));
        assert!(several.contains("2 “HD Pro Webcam C920”, 4 “Webcam”"), "{several}");
        assert!(!several.contains("Integrated"), "{several}");
    }
}
