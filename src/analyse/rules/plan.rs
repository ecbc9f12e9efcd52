//! A condition made ready for one source: numbers for the names of classes, and parts of the scene apart from those of objects.

use super::condition::{Comparison, Condition, Name, What, Who};
use crate::detection::ClassId;
use crate::labels::Labels;

/// A part of a condition. Numbers named `slot` say where its memory lies.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    All(Vec<Self>),
    Any(Vec<Self>, usize),
    Not(Box<Self>, usize),
    Lasting(Box<Self>, f64, usize),
    /// The object is of one of these classes.
    Class(Vec<ClassId>),
    /// It is an object, whatever it is.
    Object,
    /// It is in one of these zones.
    In(Vec<String>, usize),
    /// It crosses one of these lines, in this way.
    Crosses(Vec<String>, Option<bool>, usize),
    Still(usize),
    /// A number that is known of it compares so.
    Compares {
        name: String,
        comparison: Comparison,
        number: f64,
        slot: usize,
    },
    /// A part of the scene, by its number.
    Scene(usize),
    Between {
        from: f64,
        to: f64,
        slot: usize,
    },
}

/// A part of the scene, which is the same for all objects.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ScenePart {
    /// For how many objects `part` holds; its own slots are those of objects.
    Count {
        part: Node,
        comparison: Comparison,
        number: f64,
        slot: usize,
    },
    Tree(Node),
}

/// A whole condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) whole: Node,
    /// It is asked of each object, not of the scene.
    pub(super) of_object: bool,
    /// A part uses only those before it.
    pub(super) scene: Vec<ScenePart>,
    /// How many slots each object needs, and the scene.
    pub(super) object_slots: usize,
    pub(super) scene_slots: usize,
    /// It asks for the time of day.
    pub(super) by_clock: bool,
    /// A part holds for a moment, which may be told of an object that is not seen any more.
    pub(super) has_moment: bool,
}

impl Plan {
    /// The names have been checked: a class that is unknown all the same is left out.
    pub(super) fn new(condition: &Condition, labels: &Labels) -> Self {
        let mut maker = Maker { labels, scene: Vec::new(), object_slots: 0, scene_slots: 0 };
        let of_object = condition.is_of_object();
        let whole = maker.node(condition, of_object);
        let (mut by_clock, mut has_moment) = (false, false);
        condition.walk(&mut |part| {
            by_clock |= matches!(part, Condition::Between { .. });
            has_moment |= matches!(part, Condition::Object { what: Some(What::Crosses(..)), .. });
        });
        let Maker { scene, object_slots, scene_slots, .. } = maker;
        Self { whole, of_object, scene, object_slots, scene_slots, by_clock, has_moment }
    }

    /// All parts of it that are asked of the object that an event is of.
    pub(super) fn walk<'a>(&'a self, each: &mut dyn FnMut(&'a Node)) {
        self.whole.walk(each);
    }
}

impl Node {
    fn walk<'a>(&'a self, each: &mut dyn FnMut(&'a Self)) {
        each(self);
        match self {
            Self::All(parts) | Self::Any(parts, _) => parts.iter().for_each(|part| part.walk(each)),
            Self::Lasting(part, ..) => part.walk(each),
            // What does not hold is nothing to tell of.
            _ => {}
        }
    }
}

struct Maker<'a> {
    labels: &'a Labels,
    scene: Vec<ScenePart>,
    object_slots: usize,
    scene_slots: usize,
}

impl Maker<'_> {
    fn slot(&mut self, of_object: bool) -> usize {
        let slots = if of_object { &mut self.object_slots } else { &mut self.scene_slots };
        *slots += 1;
        *slots - 1
    }

    /// That a condition does not hold. Of what nobody knows the contrary is not known either: it is asked of the smallest parts.
    fn contrary(&mut self, condition: &Condition, of_object: bool) -> Node {
        if of_object && !condition.is_of_object() {
            let part = ScenePart::Tree(self.contrary(condition, false));
            return self.scene_part(part);
        }
        match condition {
            Condition::All(parts) => {
                let parts = parts.iter().map(|part| self.contrary(part, of_object)).collect();
                Node::Any(parts, self.slot(of_object))
            }
            Condition::Any(parts) => {
                Node::All(parts.iter().map(|part| self.contrary(part, of_object)).collect())
            }
            Condition::Not(_, part) => self.node(part, of_object),
            // What is not between two times is between them the other way round.
            Condition::Between { from, to, .. } => {
                Node::Between { from: f64::from(*to), to: f64::from(*from), slot: self.slot(of_object) }
            }
            _ => Node::Not(Box::new(self.node(condition, of_object)), self.slot(of_object)),
        }
    }

    /// `of_object`: it is asked of objects. Parts of the scene in it become parts of their own.
    fn node(&mut self, condition: &Condition, of_object: bool) -> Node {
        if of_object && !condition.is_of_object() {
            let part = ScenePart::Tree(self.node(condition, false));
            return self.scene_part(part);
        }
        match condition {
            Condition::All(parts) => Node::All(parts.iter().map(|part| self.node(part, of_object)).collect()),
            Condition::Any(parts) => {
                Node::Any(parts.iter().map(|part| self.node(part, of_object)).collect(), self.slot(of_object))
            }
            Condition::Not(_, part) => self.contrary(part, of_object),
            Condition::For(_, part, seconds) => {
                Node::Lasting(Box::new(self.node(part, of_object)), *seconds, self.slot(of_object))
            }
            Condition::Object { who, not, what, .. } => {
                let who = who.as_ref().map_or(Node::Object, |who| self.who(who));
                let Some(what) = what else { return who };
                let what = self.what(what);
                let what = if *not { Node::Not(Box::new(what), self.slot(true)) } else { what };
                Node::All(vec![who, what])
            }
            Condition::Count { part, comparison, number, .. } => {
                let part = self.node(part, true);
                self.count(part, *comparison, *number)
            }
            Condition::None { who, zones, .. } => {
                let who = self.who(who);
                let part = if zones.is_empty() {
                    who
                } else {
                    Node::All(vec![who, Node::In(texts(zones), self.slot(true))])
                };
                self.count(part, Comparison::Equal, 0.0)
            }
            Condition::Between { from, to, .. } => {
                Node::Between { from: f64::from(*from), to: f64::from(*to), slot: self.slot(false) }
            }
        }
    }

    fn count(&mut self, part: Node, comparison: Comparison, number: f64) -> Node {
        let slot = self.slot(false);
        self.scene_part(ScenePart::Count { part, comparison, number, slot })
    }

    fn scene_part(&mut self, part: ScenePart) -> Node {
        // The outcome of a part is a part already.
        if let ScenePart::Tree(Node::Scene(number)) = part {
            return Node::Scene(number);
        }
        self.scene.push(part);
        Node::Scene(self.scene.len() - 1)
    }

    fn who(&self, who: &Who) -> Node {
        match who {
            Who::Anything => Node::Object,
            Who::Classes(names) => {
                Node::Class(names.iter().filter_map(|name| self.labels.find(&name.text)).collect())
            }
        }
    }

    fn what(&mut self, what: &What) -> Node {
        match what {
            What::In(zones) => Node::In(texts(zones), self.slot(true)),
            What::Crosses(lines, way) => Node::Crosses(texts(lines), *way, self.slot(true)),
            What::Still(zones) if zones.is_empty() => Node::Still(self.slot(true)),
            What::Still(zones) => {
                Node::All(vec![Node::Still(self.slot(true)), Node::In(texts(zones), self.slot(true))])
            }
            What::Is(name, comparison, number) => Node::Compares {
                name: name.text.clone(),
                comparison: *comparison,
                number: *number,
                slot: self.slot(true),
            },
        }
    }
}

fn texts(names: &[Name]) -> Vec<String> {
    names.iter().map(|name| name.text.clone()).collect()
}
