//! Which programs have a camera open. Linux tells it in `/proc`: of one's own programs always, of others' only to root.

use std::path::Path;

/// The programs to be named at most.
const MOST_NAMED: usize = 3;

/// Who holds the camera with this index, as an insertion behind "another program is using it".
pub(super) fn sentence(index: u32) -> String {
    if !cfg!(target_os = "linux") {
        return String::new();
    }
    let device = format!("/dev/video{index}");
    // Also by the name that a link to it, such as in /dev/v4l/by-id, leads to.
    let device = std::fs::canonicalize(&device).unwrap_or(device.into());
    let holders = holders(Path::new("/proc"), &device, std::process::id());
    match holders.as_slice() {
        [] => format!(" (`sudo fuser -v /dev/video{index}` names it)"),
        holders => format!(" ({})", holders.join(", ")),
    }
}

/// The programs that have `device` open, by `proc`, which is `/proc` but for tests.
fn holders(proc: &Path, device: &Path, own: u32) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(proc) else { return Vec::new() };
    let mut numbers: Vec<u32> =
        entries.filter_map(Result::ok).filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    let mut found = Vec::new();
    for number in numbers {
        let folder = proc.join(number.to_string());
        let Ok(files) = std::fs::read_dir(folder.join("fd")) else { continue };
        let holds = files
            .filter_map(Result::ok)
            .any(|file| std::fs::read_link(file.path()).is_ok_and(|target| target == device));
        if !holds {
            continue;
        }
        let name = std::fs::read_to_string(folder.join("comm")).unwrap_or_default();
        let name = match name.trim() {
            _ if number == own => "this program itself".to_owned(),
            "" => format!("process {number}"),
            name => format!("“{name}”, process {number}"),
        };
        found.push(name);
        if found.len() == MOST_NAMED {
            break;
        }
    }
    found
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn programs_with_the_device_open_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for (number, name, opened) in [
            (7, "cheese\n", &["/dev/null", "/dev/video1"][..]),
            (12, "zoom\n", &["/dev/video10"]),
            (30, "", &["/dev/video1", "/dev/video1"]),
            (41, "trailsight\n", &["/dev/video1"]),
            (99, "one too many\n", &["/dev/video1"]),
        ] {
            let process = folder.path().join(number.to_string());
            std::fs::create_dir_all(process.join("fd")).unwrap();
            std::fs::write(process.join("comm"), name).unwrap();
            for (i, target) in opened.iter().enumerate() {
                symlink(target, process.join("fd").join(i.to_string())).unwrap();
            }
        }
        std::fs::create_dir(folder.path().join("sys")).unwrap();
        let found = holders(folder.path(), Path::new("/dev/video1"), 41);
        assert_eq!(found, ["“cheese”, process 7", "process 30", "this program itself"]);
        assert_eq!(holders(folder.path(), Path::new("/dev/video2"), 41), Vec::<String>::new());
        assert!(holders(&folder.path().join("missing"), Path::new("/dev/video1"), 1).is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_real_proc_names_this_program() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = std::fs::canonicalize(file.path()).unwrap();
        assert_eq!(holders(Path::new("/proc"), &path, std::process::id()), ["this program itself"]);
        let named = holders(Path::new("/proc"), &path, 0);
        assert!(
            named.len() == 1 && named[0].ends_with(&format!("process {}", std::process::id())),
            "{named:?}"
        );
    }
}
