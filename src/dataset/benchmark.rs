//! The rules of the benchmarks: which true boxes count.

use super::rows::Row;
use crate::metrics::{IgnoreRule, Role};

/// Classes of KITTI, by the order of the table of names.
const CAR: i32 = 1;
const VAN: i32 = 2;
const PEDESTRIAN: i32 = 4;
const SITTING: i32 = 5;

/// A benchmark by its rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Benchmark {
    /// MOT16 and MOT17: pedestrians (class 1) whose conf is not 0 count; results on people on vehicles, static people,
    /// distractors and reflections (classes 7, 2, 8 and 12) are left out (Milan et al., 2016, arXiv:1603.00831).
    Mot17,
    /// As MOT17, and results on vehicles that are not motorised (class 6) are left out too (Dendorfer et al., 2020,
    /// arXiv:2003.09003).
    Mot20,
    /// The rules of MOT17; there is one class, and everything counts (Sun et al., 2022, arXiv:2111.14690).
    DanceTrack,
    /// MOT15 and data sets without rules of their own: every box with a conf other than 0 counts, whatever its class.
    Mot15,
    /// KITTI: cars and pedestrians, each for itself. Boxes that are hidden or cut off, vans and sitting people do not have
    /// to be found; results that fit no box and lie in regions that nobody annotated, or are up to 25 pixels high, are left
    /// out (Geiger et al., CVPR 2012). Of MOTChallenge text, which does not say what is hidden: as MOT15, but classes are
    /// scored one by one, and regions that nobody annotated are not judged.
    Kitti,
    /// VisDrone: pedestrians, cars, vans, trucks and buses, each for itself; what lies in regions that nobody annotated, or on
    /// things of the class "others", is left out of truth and results (Zhu et al., 2018, arXiv:1804.07437).
    VisDrone,
    /// UAVDT: all vehicles as one class; results in regions that nobody annotated are left out (Du et al., 2018,
    /// arXiv:1804.00518).
    Uavdt,
}

impl Benchmark {
    /// The benchmark that a sequence belongs to, from its name, or from having regions that are not judged. The benchmark's
    /// name may stand anywhere in it, in small or large letters: `MOT17-02`, `train_mot17-02`.
    pub fn of(name: &str, has_regions: bool) -> Self {
        let known = [
            ("mot15", Self::Mot15),
            ("mot16", Self::Mot17),
            ("mot17", Self::Mot17),
            ("mot20", Self::Mot20),
            ("dancetrack", Self::DanceTrack),
            ("kitti", Self::Kitti),
            ("uavdt", Self::Uavdt),
        ];
        let name = name.to_ascii_lowercase();
        match known.iter().find(|(word, _)| name.contains(word)) {
            Some((_, benchmark)) => *benchmark,
            None if has_regions => Self::Kitti,
            None => Self::Mot15,
        }
    }

    /// The name that [`Benchmark::named`] knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mot17 => "mot17",
            Self::Mot20 => "mot20",
            Self::DanceTrack => "dancetrack",
            Self::Mot15 => "mot15",
            Self::Kitti => "kitti",
            Self::VisDrone => "visdrone",
            Self::Uavdt => "uavdt",
        }
    }

    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Mot17, Self::Mot20, Self::DanceTrack, Self::Mot15, Self::Kitti, Self::VisDrone, Self::Uavdt];

    /// The benchmark of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|benchmark| benchmark.name() == name)
    }

    /// Whether classes are scored one by one.
    pub fn by_class(self) -> bool {
        matches!(self, Self::Kitti | Self::VisDrone)
    }

    /// The classes that are scored one by one, by their numbers in the benchmark's own table.
    pub(super) fn classes(self) -> &'static [i32] {
        match self {
            Self::Kitti => &[CAR, PEDESTRIAN],
            Self::VisDrone => &[1, 4, 5, 6, 9],
            _ => &[],
        }
    }

    /// Whether what counts depends on the class.
    pub(super) fn needs_class(self) -> bool {
        !matches!(self, Self::Mot15 | Self::Uavdt)
    }

    /// Whether regions that nobody annotated count where classes are not scored one by one.
    pub(super) fn ignores_always(self) -> bool {
        matches!(self, Self::VisDrone | Self::Uavdt)
    }

    /// What happens to results near regions that nobody annotated; `ruled` where a class is scored by rules of its own.
    pub(super) fn ignore_rule(self, size: Option<(u32, u32)>, ruled: bool) -> IgnoreRule {
        match self {
            Self::Kitti if ruled => IgnoreRule::Unmatched { height: 25.0 },
            Self::VisDrone | Self::Uavdt => IgnoreRule::Pixels { size },
            _ => IgnoreRule::Half,
        }
    }

    /// What a row of the truth is for where one class is scored by the benchmark's rules.
    pub(super) fn role_in_class(self, row: &Row, class: i32) -> Option<Role> {
        let neighbour = match (self, class) {
            (Self::Kitti, CAR) => Some(VAN),
            (Self::Kitti, PEDESTRIAN) => Some(SITTING),
            _ => None,
        };
        match row.class {
            own if own == class && row.hard => (self == Self::Kitti).then_some(Role::Distractor),
            own if own == class => Some(Role::Counts),
            other => (Some(other) == neighbour).then_some(Role::Distractor),
        }
    }

    /// What a row of the truth is for; `None` where it is as if it were not there. `Err` says why it cannot be.
    pub(super) fn role(self, row: &Row) -> Result<Option<Role>, String> {
        // The reference cuts off what is behind the point.
        let counts = row.score.trunc() != 0.0;
        let distractors: &[i32] = match self {
            Self::Mot15 | Self::Kitti | Self::Uavdt => return Ok(counts.then_some(Role::Counts)),
            Self::VisDrone => {
                let scored = counts && self.classes().contains(&row.class);
                return Ok(scored.then_some(Role::Counts));
            }
            Self::Mot17 | Self::DanceTrack => &[2, 7, 8, 12],
            Self::Mot20 => &[2, 6, 7, 8, 12],
        };
        Ok(Some(match row.class {
            1 if counts => Role::Counts,
            class if distractors.contains(&class) => Role::Distractor,
            1..=13 => Role::Bystander,
            class => return Err(format!("there is no class {class}: they are 1 to 13")),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Region;

    #[test]
    fn names_decide() {
        for (name, regions, expected) in [
            ("MOT17-02-half", false, Benchmark::Mot17),
            ("MOT20-01", false, Benchmark::Mot20),
            ("dancetrack0004", false, Benchmark::DanceTrack),
            ("KITTI-0003", false, Benchmark::Kitti),
            ("TUD-Campus", false, Benchmark::Mot15),
            ("0003", true, Benchmark::Kitti),
            ("mot17-02", false, Benchmark::Mot17),
            ("train_MOT17-02", false, Benchmark::Mot17),
            ("val-Mot16_04-FRCNN", false, Benchmark::Mot17),
            ("DanceTrack0001", false, Benchmark::DanceTrack),
            ("kitti_0001", false, Benchmark::Kitti),
            ("MOT1702", false, Benchmark::Mot17),
        ] {
            assert_eq!(Benchmark::of(name, regions), expected, "{name}");
        }
        for benchmark in Benchmark::ALL {
            assert_eq!(Benchmark::named(benchmark.name()), Some(benchmark));
        }
        assert_eq!(Benchmark::named("mot99"), None);
    }

    #[test]
    fn roles_follow_class_and_conf() {
        let row = |class, score| Row {
            line: 1,
            frame: 0,
            id: 1,
            region: Region::default(),
            score,
            class,
            hard: false,
        };
        let role = |benchmark: Benchmark, class, score| benchmark.role(&row(class, score)).ok().flatten();
        let (mot17, mot20, mot15) = (Benchmark::Mot17, Benchmark::Mot20, Benchmark::Mot15);
        assert_eq!(role(mot17, 1, 1.0), Some(Role::Counts));
        assert_eq!(role(mot17, 1, 0.0), Some(Role::Bystander));
        assert_eq!(role(mot17, 7, 1.0), Some(Role::Distractor));
        assert_eq!(role(mot17, 6, 0.0), Some(Role::Bystander));
        assert_eq!(role(mot20, 6, 0.0), Some(Role::Distractor));
        assert_eq!(role(mot15, -1, 1.0), Some(Role::Counts));
        assert_eq!(role(mot15, 7, 0.0), None);
        assert!(mot17.role(&row(14, 1.0)).unwrap_err().contains("no class 14"));
    }
}
