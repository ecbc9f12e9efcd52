//! Why a camera does not do what it is asked for, and what a person can do about it.

use std::io;

use super::who_holds;

/// Why a camera does not do what it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DeviceError {
    /// This user or program may not use it.
    Denied,
    /// Another program uses it.
    Busy,
    /// It is not there (any more).
    Gone,
    /// It is none that gives pictures, for this reason.
    NoCamera(&'static str),
    /// It does not say anything for this many seconds.
    Silent(u64),
    /// An earlier call to its driver did not come back yet.
    StillSilent,
    /// Anything else, in the words of the driver or of a library.
    Other(String),
}

impl DeviceError {
    /// What happened and what to do about it, for the camera with this index.
    pub(super) fn sentence(&self, index: u32) -> String {
        match self {
            Self::Denied if cfg!(target_os = "linux") => format!(
                "permission denied for /dev/video{index}: add yourself to the group that owns it (usually `sudo \
                 usermod -aG video $USER`), then log out and in again"
            ),
            Self::Denied => {
                "permission denied: allow this program (or its terminal) to use the camera in the system's privacy \
                 settings, then start it again"
                    .to_owned()
            }
            Self::Busy => format!(
                "another program is using it{}: close that one, or choose another camera from `trailsight cameras`",
                who_holds::sentence(index)
            ),
            Self::Gone => {
                "the camera is gone: plug it in again; `trailsight cameras` lists the cameras".to_owned()
            }
            Self::NoCamera(why) => {
                format!("{why}: choose another camera from `trailsight cameras`")
            }
            Self::Silent(seconds) => format!(
                "its driver does not answer within {seconds} s: unplug the camera, plug it in again, and restart"
            ),
            Self::StillSilent => "its driver still does not answer an earlier attempt: unplug the camera and plug it in \
                                  again; where that does not help, start anew"
                .to_owned(),
            Self::Other(why) => why.clone(),
        }
    }

    /// Whether another camera of the same name may do what this one does not.
    pub(super) fn is_of_this_one(&self) -> bool {
        matches!(self, Self::Busy | Self::Gone | Self::NoCamera(_) | Self::Silent(_) | Self::StillSilent)
    }

    /// Whether trying another format is pointless.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// What the number of an operating system's error means; `None` where it is nothing that has a sentence here.
    pub(super) fn of_number(number: i32) -> Option<Self> {
        match number {
            // EPERM, EACCES
            1 | 13 if cfg!(unix) => Some(Self::Denied),
            // EBUSY
            16 if cfg!(unix) => Some(Self::Busy),
            // ENOENT, ENXIO, ENODEV
            2 | 6 | 19 if cfg!(unix) => Some(Self::Gone),
            // ENOSPC: what a USB host answers to a stream that does not fit beside the others.
            28 if cfg!(unix) => Some(Self::Other(
                "the USB bus has no room for it beside the devices that use it already".to_owned(),
            )),
            _ => None,
        }
    }
}

impl From<io::Error> for DeviceError {
    fn from(error: io::Error) -> Self {
        error.raw_os_error().and_then(Self::of_number).unwrap_or_else(|| Self::Other(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_says_what_to_do() {
        for fault in [
            DeviceError::Denied,
            DeviceError::Busy,
            DeviceError::Gone,
            DeviceError::Silent(20),
            DeviceError::StillSilent,
            DeviceError::NoCamera("it is an output"),
        ] {
            assert!(fault.is_final());
            let sentence = fault.sentence(3);
            assert!(sentence.contains(':'), "what happened, then what to do: {sentence}");
        }
        assert!(!DeviceError::Other(String::new()).is_final());
    }

    #[cfg(unix)]
    #[test]
    fn errors_of_the_system_have_their_sentences() {
        for (number, fault) in [
            (13, DeviceError::Denied),
            (16, DeviceError::Busy),
            (19, DeviceError::Gone),
            (2, DeviceError::Gone),
        ] {
            assert_eq!(DeviceError::from(io::Error::from_raw_os_error(number)), fault);
        }
        let full = DeviceError::from(io::Error::from_raw_os_error(28));
        assert!(!full.is_final() && full.sentence(0).contains("bus"), "a smaller format may fit: {full:?}");
        assert!(
            matches!(DeviceError::from(io::Error::from_raw_os_error(5)), DeviceError::Other(why) if why.contains("error"))
        );
    }
}
