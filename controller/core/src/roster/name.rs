//! A node's name: what the owner reads on a button, so short, unique, and free of anything that a screen could take for markup.

use alloc::format;
use alloc::string::{String, ToString};

use constella_shared::limits::NAME_CHARS;

/// Why a name is refused. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or longer than [`NAME_CHARS`].
    #[error("a name has 1 to 63 characters")]
    Length,
    /// A character that is no letter, digit, `-`, `_` or `.`, or one of those three in front.
    #[error("a name is made of letters, digits, - _ . and begins with a letter or digit")]
    Character,
}

/// Letters and digits of any script, `-`, `_` and `.`; no spaces, no markup, nothing invisible.
///
/// # Errors
/// Says what is wrong with it.
pub fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() || name.chars().count() > NAME_CHARS {
        return Err(NameError::Length);
    }
    let starts_well = name.chars().next().is_some_and(char::is_alphanumeric);
    if starts_well && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        Ok(())
    } else {
        Err(NameError::Character)
    }
}

/// Whether a person would take two names for the same: letter case does not tell nodes apart.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

/// The first of `name`, `name-2`, `name-3` ... that is not taken.
#[must_use]
pub fn free(name: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(name) {
        return name.to_string();
    }
    let mut number = 2_u32;
    loop {
        let suffix = format!("-{number}");
        let stem: String = name.chars().take(NAME_CHARS.saturating_sub(suffix.len())).collect();
        let candidate = stem + &suffix;
        // The end is reached long before the numbers are: a network has fewer nodes than u32 has values.
        if number == u32::MAX || !taken(&candidate) {
            return candidate;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_pass_and_markup_does_not() {
        for good in ["alpha", "Москва-1", "db_2.eu", "7", "東京"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["a b", "<b>", "a&b", "-a", ".a", "a\n", "a\u{202e}b", "a/b", "a\u{200b}"] {
            assert_eq!(check(bad), Err(NameError::Character), "{bad:?}");
        }
        assert_eq!(check(""), Err(NameError::Length));
        assert_eq!(check(&"я".repeat(63)), Ok(()));
        assert_eq!(check(&"я".repeat(64)), Err(NameError::Length));
    }

    #[test]
    fn a_free_name_is_found_and_stays_within_the_limit() {
        assert_eq!(free("alpha", |_| false), "alpha");
        assert_eq!(free("alpha", |n| n == "alpha" || n == "alpha-2"), "alpha-3");
        let long = "x".repeat(63);
        let found = free(&long, |n| n == long);
        assert_eq!(check(&found), Ok(()));
        assert_ne!(found, long);
    }

    #[test]
    fn letter_case_does_not_tell_names_apart() {
        assert!(same("Москва", "москва"));
        assert!(!same("alpha", "alpha2"));
    }
}
