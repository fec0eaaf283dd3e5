//! The order in which rustfmt sorts imports: numbers by value, so that `v2` comes before `v10`, and `_` before all else.
//! A path is sorted name by name, so that all of `a` comes before `a_b`. (Modules it sorts as plain text.)

use std::cmp::Ordering;

/// A path that is sorted as an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Natural(pub String);

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (self.0.split("::"), other.0.split("::"));
        loop {
            let order = match (a.next(), b.next()) {
                (None, None) => return self.0.cmp(&other.0),
                (Some(a), Some(b)) => names(a, b),
                (a, b) => a.cmp(&b),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

fn names(mut a: &str, mut b: &str) -> Ordering {
    loop {
        let order = match (number(&mut a), number(&mut b)) {
            (Some(x), Some(y)) => x.cmp(&y),
            // Digits are characters like others where only one side has them.
            (Some(_), None) => digit_against(b),
            (None, Some(_)) => digit_against(a).reverse(),
            (None, None) => match (a.chars().next(), b.chars().next()) {
                (None, None) => return Ordering::Equal,
                (x, y) => {
                    a = x.map_or(a, |x| &a[x.len_utf8()..]);
                    b = y.map_or(b, |y| &b[y.len_utf8()..]);
                    x.map(rank).cmp(&y.map(rank))
                }
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn rank(c: char) -> u32 {
    if c == '_' { 0 } else { c.into() }
}

/// How a digit compares with the start of `other`, which is none.
fn digit_against(other: &str) -> Ordering {
    other.chars().next().map_or(Ordering::Greater, |c| rank('0').cmp(&rank(c)))
}

/// Takes a number off the start.
fn number(text: &mut &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let value = digits.parse().ok()?;
    *text = rest;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::Natural;

    #[test]
    fn numbers_count_by_value_and_underscores_come_first() {
        let mut names =
            ["ab", "v10", "a2", "v1alpha10", "a10", "v2", "a_b", "v1alpha2"].map(|n| Natural(n.into()));
        names.sort();
        assert_eq!(names.map(|n| n.0), ["a_b", "a2", "a10", "ab", "v1alpha2", "v1alpha10", "v2", "v10"]);
    }

    #[test]
    fn a_name_comes_before_those_it_begins() {
        let mut paths = ["backup_schedule::BackupSchedule", "backup2::Backup2", "backup::Backup"]
            .map(|path| Natural(path.into()));
        paths.sort();
        assert_eq!(
            paths.map(|path| path.0),
            ["backup::Backup", "backup_schedule::BackupSchedule", "backup2::Backup2"]
        );
    }
}
