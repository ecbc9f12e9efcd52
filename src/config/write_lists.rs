//! Lists of tables put into a config file: of a table that stays, only the values that differ are changed in the text; tables
//! that are gone are taken out with the comments above them, and new ones are added behind those before them.

use std::ops::Range;

use toml_edit::{Array, ArrayOfTables, InlineTable, Item, Table, Value};

use super::params::List;

/// A list as it stands in a text, and as it is wanted.
pub(super) struct ListChange<'a> {
    pub(super) path: &'static str,
    rules: &'a List,
    old: Vec<InlineTable>,
    wanted: Vec<InlineTable>,
    /// Of each wanted table, which one of the old it goes on with.
    kept: Vec<Option<usize>>,
}

impl<'a> ListChange<'a> {
    /// `old` and `wanted` are the values of the whole list.
    pub(super) fn new(path: &'static str, rules: &'a List, old: Option<&Value>, wanted: &Value) -> Self {
        let tables = |value: &Value| -> Vec<InlineTable> {
            let tables = value.as_array().map(Array::iter).into_iter().flatten();
            tables.filter_map(|table| table.as_inline_table().cloned()).collect()
        };
        let (old, wanted) = (old.map(tables).unwrap_or_default(), tables(wanted));
        let kept = kept(&old, &wanted);
        Self { path, rules, old, wanted, kept }
    }

    /// The places of values that differ, in tables that stay, with the new values.
    pub(super) fn places(&self, tables: &ArrayOfTables) -> Vec<(Range<usize>, String)> {
        let mut places = Vec::new();
        for (wanted, index) in self.wanted.iter().zip(&self.kept) {
            let Some((old, table)) = index.and_then(|index| self.old.get(index).zip(tables.get(index)))
            else {
                continue;
            };
            for field in (self.rules.fields)() {
                let value = |table: &InlineTable| {
                    table.get(field.name).unwrap_or(&field.default).to_string().trim().to_owned()
                };
                let (was, is) = (value(old), value(wanted));
                if was != is {
                    places.extend(table.get(field.name).and_then(Item::span).map(|span| (span, is)));
                }
            }
        }
        places
    }

    /// Puts in what is missing, once the values at their places are right.
    pub(super) fn complete(&self, item: &mut Item) -> Option<()> {
        let tables = item.as_array_of_tables_mut()?;
        let old: Vec<Table> = tables.iter().cloned().collect();
        tables.clear();
        for (wanted, index) in self.wanted.iter().zip(&self.kept) {
            let mut table = index.and_then(|index| old.get(index).cloned()).unwrap_or_default();
            for (key, value) in wanted {
                if !table.contains_key(key) {
                    table.insert(key, Item::Value(value.clone().decorated(" ", "")));
                }
            }
            tables.push(table);
        }
        Some(())
    }

    /// No table is wanted.
    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }
}

/// Of each new table, which of the old ones it goes on with: all in order where there are as many, else the next that is the
/// same or has its name.
fn kept(old: &[InlineTable], new: &[InlineTable]) -> Vec<Option<usize>> {
    if old.len() == new.len() {
        return (0..new.len()).map(Some).collect();
    }
    let name = |table: &InlineTable| table.get("name").map(ToString::to_string);
    let mut next = 0;
    let find = |table: &InlineTable| {
        let is_it = |other: &InlineTable| {
            other.to_string() == table.to_string() || name(table).is_some() && name(other) == name(table)
        };
        let index = next + old.get(next..)?.iter().position(is_it)?;
        next = index + 1;
        Some(index)
    };
    new.iter().map(find).collect()
}
